import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { Random, deriveSeed } from '../../../examples/beancart/random.ts';
import { loadSample, loadSchema } from '../../../examples/beancart/sample.ts';
import { startTraffic, type Traffic } from '../../../examples/beancart/traffic.ts';
import { packageRoot } from '../../../stack/package-root.ts';
import { openStack, type Stack } from '../../../stack/stack.ts';
import { type Instance, LivePipeline, waitUntil } from '../../support/live-pipeline.ts';
import { OwnPostgres } from '../../support/own-postgres.ts';
import type { TestStack } from '../../support/stack.ts';
import { Lines, withPort } from './lines.ts';

export type Role = 'transform' | 'elasticsearch' | 'clickhouse';
const roles: readonly Role[] = ['transform', 'elasticsearch', 'clickhouse'];

const faultPoints = pathToFileURL(join(packageRoot(), 'test', 'fault', 'harness', 'fault-points.mjs')).href;
const trafficLimitMs = 180_000;
/** Each look starts a process for each instance. */
const memoryLookMs = 2_000;

export interface WorldOptions {
  readonly seed: number;
  readonly partitions: number;
  /** Rows of the sample before the traffic. */
  readonly customers: number;
  readonly transactionsPerSecond: number;
  /** How long a server is away in the faults that are about that. */
  readonly longMs: number;
  /** For every process of the pipeline. */
  readonly env?: Record<string, string>;
}

/**
 * BeanCart on real servers, each behind a line that can be spoilt: two transforms, a process for each store, and an application that
 * writes. Its key store has a server of its own, so that it can die alone.
 */
export class FaultWorld {
  readonly stack: Stack;
  readonly live: LivePipeline;
  readonly lines: Lines;
  readonly keyStore: OwnPostgres;
  readonly random: Random;
  readonly options: WorldOptions;
  readonly instances = new Map<Role, Instance[]>(roles.map((role) => [role, []]));
  /** Of the application, so far, those of the traffic under way left out. */
  transactions = 0;
  /** Statements of it that Postgres refused. */
  refused = 0;
  /** Most memory that a process was seen to take, bytes. */
  memory = 0;
  private traffic: Traffic | undefined;
  private runs = 0;

  private constructor(
    stack: Stack,
    live: LivePipeline,
    lines: Lines,
    keyStore: OwnPostgres,
    options: WorldOptions,
  ) {
    this.stack = stack;
    this.live = live;
    this.lines = lines;
    this.keyStore = keyStore;
    this.options = options;
    this.random = new Random(options.seed);
  }

  static async create(shared: TestStack, options: WorldOptions): Promise<FaultWorld> {
    const keyStore = await OwnPostgres.create();
    await keyStore.start({});
    const lines = await Lines.open(shared.endpoints, keyStore.url);
    const behindLines = { dir: shared.dir, endpoints: lines.endpoints };
    const keys = { url: lines.keyStoreUrl, drop: () => keyStore.drop() };
    const { partitions } = options;
    const live = await LivePipeline.create(behindLines, 'examples/beancart/lethe.yaml', partitions, keys);
    const world = new FaultWorld(openStack(shared.dir), live, lines, keyStore, options);
    const client = new Client({ connectionString: world.applicationUrl });
    await client.connect();
    await loadSchema(client);
    await loadSample(client, { customers: options.customers, seed: options.seed });
    await client.end();
    await live.apply();
    await Promise.all(
      (['transform', 'transform', 'elasticsearch', 'clickhouse'] as const).map((role) => world.add(role)),
    );
    return world;
  }

  /** The application does not go through the line: what it suffers is Lethe's doing. */
  get applicationUrl(): string {
    return withPort(this.live.source.url, new URL(this.stack.endpoints().postgres.url).port);
  }

  /** Starts one more instance; `env` gives it its fault, which may come before it says that it works. */
  launch(role: Role, env: Record<string, string> = {}): Instance {
    const instance = this.live.run(['--only', role], { ...this.options.env, ...env }, faultPoints);
    this.instances.get(role)!.push(instance);
    return instance;
  }

  /** Starts one more instance and waits until it works. */
  async add(role: Role): Promise<Instance> {
    const instance = this.launch(role);
    await this.live.ready(instance);
    return instance;
  }

  /** Those of a role that have not ended. */
  running(role: Role): Instance[] {
    const own = this.instances.get(role)!.filter(({ child }) => isAlive(child));
    this.instances.set(role, own);
    return own;
  }

  all(): Instance[] {
    return roles.flatMap((role) => this.running(role));
  }

  /** Brings every role back to its number of instances. */
  async restore(): Promise<void> {
    for (const [role, count] of [
      ['transform', 2],
      ['elasticsearch', 1],
      ['clickhouse', 1],
    ] as const) {
      for (const extra of this.running(role).slice(count)) await end(extra, 'SIGTERM');
      while (this.running(role).length < count) await this.add(role);
    }
  }

  /** A statement of the application. */
  async sql(text: string): Promise<void> {
    const client = new Client({ connectionString: this.applicationUrl });
    await client.connect();
    await client.query(text);
    await client.end();
  }

  startTraffic(): void {
    if (this.traffic) return;
    const seed = deriveSeed(this.options.seed, 1_000 + this.runs++);
    const { transactionsPerSecond } = this.options;
    this.traffic = startTraffic(this.applicationUrl, { seed, transactionsPerSecond });
  }

  async stopTraffic(): Promise<void> {
    const { traffic } = this;
    this.traffic = undefined;
    const report = await traffic?.stop();
    this.transactions += report?.transactions ?? 0;
    this.refused += report?.failed ?? 0;
  }

  /** Waits until the application has done so much more: something must be under way when a part dies. */
  async moreTraffic(transactions: number): Promise<void> {
    this.startTraffic();
    const { traffic } = this;
    const from = traffic!.report().transactions;
    await waitUntil(() => traffic!.report().transactions >= from + transactions, trafficLimitMs, 'traffic');
  }

  /** Lets the application go on for so long, and watches what the pipeline's processes take meanwhile. */
  async trafficFor(ms: number): Promise<void> {
    this.startTraffic();
    const end = performance.now() + ms;
    let lookAt = 0;
    const isOver = (): boolean => {
      if (performance.now() >= lookAt) {
        for (const { child } of this.all()) this.memory = Math.max(this.memory, residentBytes(child.pid!));
        lookAt = performance.now() + memoryLookMs;
      }
      return performance.now() > end;
    };
    await waitUntil(isOver, ms + trafficLimitMs, 'the time to pass');
  }

  async close(): Promise<void> {
    await this.stopTraffic().catch(() => undefined);
    this.lines.heal();
    for (const { child } of this.all()) child.kill('SIGCONT');
    await this.live.close();
    await this.lines.close();
  }
}

export function isAlive(child: { exitCode: number | null; signalCode: NodeJS.Signals | null }): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Ends an instance, which must not take longer than it allows itself. */
export async function end({ child }: Instance, signal: NodeJS.Signals): Promise<void> {
  child.kill(signal);
  await waitUntil(() => !isAlive(child), 30_000, `an instance to end after ${signal}`);
}

/** Waits until a process has stopped itself by SIGSTOP. */
export async function frozen({ child }: Instance, limitMs: number): Promise<void> {
  const state = (): string =>
    spawnSync('ps', ['-o', 'state=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout;
  const stopped = (): boolean => state().startsWith('T') || !isAlive(child);
  await waitUntil(stopped, limitMs, 'the process to stop itself');
}

/** How often an instance was given partitions. */
export function joinsOf({ logFile }: Instance): number {
  return readFileSync(logFile, 'utf8').split('"msg":"joined the group"').length - 1;
}

export function residentBytes(pid: number): number {
  return 1024 * Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout);
}
