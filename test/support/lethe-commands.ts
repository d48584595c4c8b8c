import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../stack/package-root.ts';
import type { LivePipeline } from './live-pipeline.ts';

/** How a command ended. */
export interface Ran {
  readonly code: number;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** What `lethe export` prints. */
export interface Exported {
  readonly tables: readonly {
    readonly table: string;
    readonly source: readonly Record<string, unknown>[];
    readonly stores: Record<'elasticsearch' | 'clickhouse', readonly Record<string, unknown>[]>;
  }[];
}

const main = join(packageRoot(), 'dist', 'cli', 'main.js');

/** Commands of a pipeline in processes of their own, as people run them. */
export class LetheCommands {
  readonly #live: LivePipeline;
  #serving: ChildProcess | undefined;

  constructor(live: LivePipeline) {
    this.#live = live;
  }

  run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.bare([...args, '-c', this.#live.configPath], env);
  }

  /** One that reads no lethe.yaml. */
  bare(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        [main, ...args],
        { env: { ...process.env, ...this.#live.env, ...env }, maxBuffer: 1 << 26 },
        (error, out, err) =>
          done({ code: error ? Number(error.code) : 0, signal: error?.signal ?? null, out, err }),
      );
    });
  }

  /** What it prints with --json; fails where it fails. */
  async json<T>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.run([...args, '--json']);
    if (code !== 0) throw new Error(`${args.slice(0, 2).join(' ')} ended with ${code}: ${err}`);
    return JSON.parse(out) as T;
  }

  /** Starts `lethe serve`; gives its URL. */
  async serve(...args: string[]): Promise<string> {
    const child = spawn(
      process.execPath,
      [main, 'serve', '--port', '0', ...args, '-c', this.#live.configPath],
      {
        env: { ...process.env, ...this.#live.env },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    this.#serving = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error('lethe serve has ended');
  }

  async stopServing(): Promise<void> {
    const child = this.#serving;
    this.#serving = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
  }

  async exported(id: number): Promise<Exported> {
    const { code, out, err } = await this.run(['export', '--subject', `customer:${id}`]);
    if (code !== 0) throw new Error(`export ended with ${code}: ${err}`);
    return JSON.parse(out) as Exported;
  }

  /** By table: rows at the source, and records in each store. */
  async countsOf(id: number): Promise<number[][]> {
    const { tables } = await this.exported(id);
    return tables.map(({ source, stores }) => [
      source.length,
      stores.elasticsearch.length,
      stores.clickhouse.length,
    ]);
  }
}
