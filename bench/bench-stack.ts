import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LetheError } from '../schemas/errors.ts';
import type { Endpoints } from '../stack/endpoints.ts';
import type { Reporter } from '../stack/reporter.ts';
import { openStack } from '../stack/stack.ts';

/** Servers to measure on, and a folder for files. */
export interface BenchStack {
  readonly endpoints: Endpoints;
  readonly dir: string;
  /** Ends the servers, if they are the benchmark's own, and deletes the folder; `logs` in it may be kept. */
  release(keep?: 'keep logs'): Promise<void>;
}

export interface BenchStackOptions {
  /** Empty or new; a temporary folder where none is named. */
  readonly dir?: string;
  /** File with what `lethe stack up --json` printed: these servers are used, and left running. */
  readonly endpoints?: string;
}

/** A stack of the benchmark's own, or the servers it is lent. */
export async function leaseStack(
  options: BenchStackOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<BenchStack> {
  const dir =
    options.dir === undefined ? mkdtempSync(join(tmpdir(), 'lethe-bench-')) : emptyFolder(options.dir);
  const removeDir = (keep: 'keep logs' | undefined) => {
    if (keep === undefined) rmSync(dir, { recursive: true, force: true });
    else report.say(`the logs are kept in ${join(dir, 'logs')}`);
  };
  if (options.endpoints !== undefined) {
    const endpoints = JSON.parse(readFileSync(options.endpoints, 'utf8')) as Endpoints;
    return {
      endpoints,
      dir,
      release: (keep) => {
        removeDir(keep);
        return Promise.resolve();
      },
    };
  }
  const stack = openStack(join(dir, 'stack'), report);
  const release = async (keep?: 'keep logs') => {
    await stack.reset();
    removeDir(keep);
  };
  try {
    return { endpoints: await stack.up({ signal }), dir, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** What lies in the folder at the end is deleted, so it may hold nothing at the start. */
function emptyFolder(dir: string): string {
  const path = resolve(dir);
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new LetheError('CONFIG_INVALID', `${path} is not empty`, {
      fix: 'Name a new or empty folder with --dir: the benchmark deletes it at its end.',
    });
  }
  return path;
}
