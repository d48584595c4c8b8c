import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../stack/package-root.ts';

/** A process under measurement: `lethe run`, the passthrough, the writer. */
export class Child {
  /** When it said that it had joined its consumer group. */
  readonly joined: Promise<void>;
  private readonly process: ChildProcess;
  private readonly ended: Promise<number | null>;

  /** `script` is a file of the build, for example `cli/main.js`; what it says goes to the log file. */
  constructor(script: string, args: readonly string[], logFile: string) {
    // Ctrl-C goes to the benchmark, which ends its processes itself.
    const options = { stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'], detached: true };
    // Node's own options are passed on: `node --cpu-prof dist/bench/main.js` profiles every process.
    const node = [...process.execArgv, join(packageRoot(), 'dist', script)];
    const child = spawn(process.execPath, [...node, ...args], options);
    const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    this.process = child;
    this.ended = new Promise((resolve, reject) => {
      child.once('exit', resolve);
      child.once('error', reject);
    });
    this.joined = new Promise((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        log.write(`${line}\n`);
        if (line.includes('"joined the group"')) resolve();
      });
      this.ended.then(
        (code) =>
          reject(new Error(`${script} ended with ${code} before it joined its group; see ${logFile}`)),
        reject,
      );
    });
    // Who only waits for the end must not be surprised by it.
    this.joined.catch(() => {});
  }

  /** Waits for a process that ends by itself. */
  async done(): Promise<void> {
    const code = await this.ended;
    if (code !== 0) throw new Error(`${this.process.spawnargs[1]} ended with ${code}`);
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}
