import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type FileLock, takeLock } from './cache/file-lock.ts';
import { type Endpoints, endpointsOf } from './endpoints.ts';
import { findJavaTool } from './java-tool.ts';
import { type PartFolder, partFolder } from './part-folder.ts';
import { PART_NAMES, type PartName } from './part-name.ts';
import { PARTS } from './parts/all-parts.ts';
import { dropClassArchive } from './parts/class-archive.ts';
import type { PartContext } from './parts/part.ts';
import { removeOutsidePlace } from './parts/postgres-place.ts';
import { PORT_NAMES, type PortName, type Ports } from './ports.ts';
import { componentsHere, prepareStack } from './prepare-stack.ts';
import { killDaemon, signalFamily } from './process/daemon.ts';
import { type PidRecord, readPidFile } from './process/pid-file.ts';
import { type Reporter, silentReporter } from './reporter.ts';
import { StackError } from './stack-error.ts';
import { readState, type StackState, statePath } from './stack-state.ts';
import { startParts, stopParts } from './start-parts.ts';

/** What `status` tells of a part. */
export interface PartStatus {
  readonly part: PartName;
  readonly version: string;
  /** `unready`: the process runs, but does not answer a real request. */
  readonly state: 'ready' | 'unready' | 'down';
  readonly port: number | undefined;
  readonly pid: number | undefined;
  readonly sinceMs: number | undefined;
}

/** Choices for one `up`. */
export interface UpOptions {
  /** Ports that must be these; the others are remembered or picked. */
  readonly ports?: Readonly<Partial<Record<PortName, number>>>;
  /** Aborting stops what this `up` has started. */
  readonly signal?: AbortSignal;
}

const DIR_LOCK_LIMIT_MS = 15 * 60 * 1000;
const NEVER = new AbortController().signal;

/** The servers that live in one folder. The processes outlive this object and the process that made it. */
export class Stack {
  readonly dir: string;
  readonly #report: Reporter;

  /** Nothing is created or started yet. */
  constructor(dir: string, report: Reporter = silentReporter) {
    this.dir = resolve(dir);
    this.#report = report;
  }

  /** Starts what does not run, downloading what is missing first, and waits until every part is ready. */
  async up(options: UpOptions = {}): Promise<Endpoints> {
    return this.#locked(async () => {
      const signal = options.signal ?? NEVER;
      const running = new Set(PART_NAMES.filter((part) => this.#pid(part) !== undefined));
      const moved = await prepareStack(this.dir, running, options.ports ?? {}, this.#report, signal);
      // Parts that were told the old port at their start must hear the new one.
      const stale = PART_NAMES.filter((part) => PARTS[part].needs.some((need) => moved.includes(need)));
      await stopParts(stale, (part) => this.#place(part), this.#report);
      await this.#start(PART_NAMES, signal);
      return this.endpoints();
    }, options.signal);
  }

  /** Stops every part that this stack started, whoever started it, and keeps the data. */
  async down(): Promise<PartName[]> {
    if (!existsSync(this.dir)) return [];
    return this.#locked(() => stopParts(PART_NAMES, (part) => this.#place(part), this.#report));
  }

  /** Stops every part and deletes all data, ports and passwords of this stack. */
  async reset(): Promise<void> {
    if (!existsSync(this.dir) || readdirSync(this.dir).length === 0) return;
    if (!existsSync(statePath(this.dir))) {
      throw new StackError(
        'NOTHING_HERE',
        `${this.dir} holds no stack, so nothing in it was deleted`,
        'name the folder of the stack with --dir',
      );
    }
    await this.down();
    removeOutsidePlace(this.partDir('postgres'));
    for (const part of PART_NAMES) rmSync(join(this.dir, part), { recursive: true, force: true });
    rmSync(statePath(this.dir), { force: true });
  }

  /** Starts one part and waits until it is ready; one that runs is only waited for. */
  start(part: PartName, signal: AbortSignal = NEVER): Promise<void> {
    return this.#locked(() => this.#start([part], signal), signal);
  }

  /** Stops one part as `down` would. */
  stop(part: PartName): Promise<boolean> {
    return this.#locked(
      async () => (await stopParts([part], (name) => this.#place(name), this.#report)).length > 0,
    );
  }

  /** Stops one part and starts it again. */
  async restart(part: PartName, signal: AbortSignal = NEVER): Promise<void> {
    await this.stop(part);
    await this.start(part, signal);
  }

  /** SIGKILL to one part and all its processes, as in a crash. */
  async kill(part: PartName): Promise<void> {
    await killDaemon(this.#mustRun(part), this.partDir(part).pidFile);
  }

  /** Stops the processes of a part from running without ending them, as in a long pause of the machine. */
  pause(part: PartName): void {
    signalFamily(this.#mustRun(part), 'SIGSTOP');
  }

  /** Lets a paused part go on. */
  resume(part: PartName): void {
    signalFamily(this.#mustRun(part), 'SIGCONT');
  }

  /** What runs, and whether it answers. */
  async status(): Promise<PartStatus[]> {
    const state = readState(this.dir);
    return Promise.all(
      PART_NAMES.map(async (part): Promise<PartStatus> => {
        const pid = this.#pid(part);
        const ready = pid !== undefined && (await this.#isReady(part));
        return {
          part,
          version: PARTS[part].version,
          state: pid === undefined ? 'down' : ready ? 'ready' : 'unready',
          port: state?.ports[part],
          pid: pid?.pid,
          sinceMs: pid?.sinceMs,
        };
      }),
    );
  }

  /** Where the servers answer, with credentials. */
  endpoints(): Endpoints {
    const state = this.#state();
    return endpointsOf(this.#ports(state), state.passwords);
  }

  /** Where the files of a part lie: its data, its log. */
  partDir(part: PartName): PartFolder {
    return partFolder(this.dir, part);
  }

  async #start(names: readonly PartName[], signal: AbortSignal): Promise<void> {
    const started: PartName[] = [];
    try {
      await startParts(
        names,
        (part, either) => this.#context(part, either),
        this.#report,
        (part) => started.push(part),
        signal,
      );
    } catch (error) {
      for (const part of started) dropClassArchive(this.partDir(part));
      await stopParts(started, (part) => this.#place(part), this.#report);
      throw error;
    }
  }

  async #isReady(part: PartName): Promise<boolean> {
    return PARTS[part].isReady(this.#context(part, NEVER)).catch(() => false);
  }

  #place(part: PartName): { folder: PartFolder } {
    return { folder: this.partDir(part) };
  }

  #context(part: PartName, signal: AbortSignal): PartContext {
    const state = this.#state();
    return {
      folder: this.partDir(part),
      state,
      ports: this.#ports(state),
      components: componentsHere(),
      java: findJavaTool('java') ?? 'java',
      signal,
    };
  }

  #state(): StackState {
    const state = readState(this.dir);
    if (state !== undefined) return state;
    throw new StackError(
      'NOTHING_HERE',
      `there is no stack in ${this.dir}`,
      'start one with `lethe stack up`',
    );
  }

  #ports(state: StackState): Ports {
    if (PORT_NAMES.every((name) => state.ports[name] !== undefined)) return state.ports as Ports;
    throw new StackError(
      'NOTHING_HERE',
      `the stack in ${this.dir} has no ports yet`,
      'start it with `lethe stack up`',
    );
  }

  #pid(part: PartName): PidRecord | undefined {
    return readPidFile(this.partDir(part).pidFile);
  }

  #mustRun(part: PartName): PidRecord {
    const pid = this.#pid(part);
    if (pid !== undefined) return pid;
    throw new StackError(
      'NOT_RUNNING',
      `${part} does not run`,
      `start it with \`lethe stack start ${part}\``,
    );
  }

  async #locked<T>(work: () => Promise<T>, signal: AbortSignal = NEVER): Promise<T> {
    mkdirSync(this.dir, { recursive: true });
    const lock: FileLock | undefined = await takeLock(
      join(this.dir, 'stack.lock'),
      DIR_LOCK_LIMIT_MS,
      (pid) => this.#report.say(`process ${pid} works on this stack; waiting for it`),
      signal,
    );
    if (lock === undefined) {
      throw new StackError(
        'FOLDER_BUSY',
        `another process works on the stack in ${this.dir}`,
        'end that process',
      );
    }
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}

/** The stack in a folder, whether it runs, is down, or does not exist yet. */
export function openStack(dir: string, report: Reporter = silentReporter): Stack {
  return new Stack(dir, report);
}
