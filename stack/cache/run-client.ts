import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter } from '../reporter.ts';
import { StackError } from '../stack-error.ts';

/** What to watch while a client downloads: the growth of a folder is the progress. */
export interface Watched {
  readonly label: string;
  readonly folder: string;
  readonly totalBytes: number;
  readonly report: Reporter;
}

const WATCH_MS = 500;
const KEPT_OUTPUT_CHARS = 4_000;

/** Runs a package client or an archive tool to its end; its output is shown only if it fails. */
export async function runClient(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal; readonly watch?: Watched },
): Promise<void> {
  const { cwd, signal, watch } = options;
  signal.throwIfAborted();
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: string): void => {
    output = (output + chunk).slice(-KEPT_OUTPUT_CHARS);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  let ended = false;
  const show = async (watched: Watched): Promise<void> => {
    const bytes = await folderBytes(watched.folder);
    if (!ended) watched.report.progress(watched.label, bytes, watched.totalBytes);
  };
  const timer = watch === undefined ? undefined : setInterval(() => void show(watch), WATCH_MS);
  const abort = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', abort);
  try {
    // Also after an abort: the folders it writes to are deleted next.
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure(basename(command), output);
  } finally {
    signal.removeEventListener('abort', abort);
    ended = true;
    clearInterval(timer);
    if (watch !== undefined) watch.report.progressEnd(watch.label);
  }
}

/** What npm, tar, jar and mvn say of a file that is not what it should be. */
const BROKEN =
  /EINTEGRITY|\bZ_[A-Z]+_ERROR|TAR_BAD_ARCHIVE|checksum validation failed|not in gzip format|unexpected end of file|ZipException/i;

function failure(command: string, output: string): StackError {
  const lines = stripVTControlCharacters(withoutCredentials(output))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /error|fail|EINTEGRITY|could not|unable/i.test(line));
  const integrity = BROKEN.test(output);
  return new StackError(
    integrity ? 'BROKEN_DOWNLOAD' : 'DOWNLOAD_FAILED',
    `${command} failed${integrity ? ', the broken download was thrown away' : ''}: ${lines.slice(0, 2).join(' | ') || 'it gave no reason'}`,
    `check the network and the registry or mirror that ${command} is set up to use, then run the command again`,
  );
}

/** A mirror's address may carry a password. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/\/\/[^\s/@]+@/g, '//');
}

/** Bytes of all files below a folder; files that vanish meanwhile do not count. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await folderBytes(path);
    else if (entry.isFile())
      bytes += await stat(path).then(
        (found) => found.size,
        () => 0,
      );
  }
  return bytes;
}
