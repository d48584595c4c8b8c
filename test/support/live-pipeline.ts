import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import kafkajs from 'kafkajs';
import { applyProject } from '../../cli/apply.ts';
import { openProject, type Project } from '../../cli/project.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { deleteCapture } from '../../connectors/connect/delete-connector.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { masterOpener } from '../../keys/master/open-master.ts';
import { allEqual, comparePipeline, type TableComparison } from '../../verify/compare.ts';
import { formatComparison } from '../../verify/report.ts';
import { freshDatabase, type TestDatabase, type TestStack } from './stack.ts';

const root = packageRoot();

/** A `lethe run` of its own. */
export interface Instance {
  readonly child: ChildProcess;
  readonly logFile: string;
  readonly ended: Promise<NodeJS.Signals | number | null>;
}

/**
 * A project of its own on the shared stack: a fresh database, key store and name, the contracts of an example,
 * `lethe run` in processes of their own. Everything goes away at the end.
 */
export class LivePipeline {
  readonly folder = mkdtempSync(join(tmpdir(), 'lethe-live-'));
  readonly configPath = join(this.folder, 'lethe.yaml');
  readonly env: Record<string, string>;
  readonly source: TestDatabase;
  private readonly keys: TestDatabase;
  private readonly instances: Instance[] = [];
  project: Project | undefined;

  private constructor(
    stack: TestStack,
    source: TestDatabase,
    keys: TestDatabase,
    example: string,
    partitions: number,
  ) {
    this.source = source;
    this.keys = keys;
    const name = `t${randomBytes(4).toString('hex')}`;
    this.env = {
      LETHE_POSTGRES_URL: source.url,
      LETHE_KAFKA_BROKER: stack.endpoints.kafka.brokers[0]!,
      LETHE_CONNECT_URL: stack.endpoints.connect.url,
      LETHE_REGISTRY_URL: stack.endpoints.registry.url,
      LETHE_ELASTICSEARCH_URL: stack.endpoints.elasticsearch.url,
      LETHE_CLICKHOUSE_URL: stack.endpoints.clickhouse.url,
      LETHE_KEYS_URL: keys.url,
      LETHE_MASTER_FILE: join(this.folder, 'master.json'),
    };
    Object.assign(process.env, this.env);
    cpSync(join(dirname(example), 'contracts'), join(this.folder, 'contracts'), { recursive: true });
    const rules = join(dirname(example), 'rules.yaml');
    if (existsSync(rules)) cpSync(rules, join(this.folder, 'rules.yaml'));
    const yaml = readFileSync(example, 'utf8')
      .replace(/^name: .*$/m, `name: ${name}`)
      .replace(/^topics:\n(?: .*\n?)*/m, '');
    writeFileSync(this.configPath, `${yaml}\ntopics:\n  prefix: ${name}.\n  partitions: ${partitions}\n`);
    mkdirSync(join(this.folder, 'logs'));
  }

  /**
   * Databases and files; nothing is applied yet. `example` is a lethe.yaml with a folder contracts beside it. Key store and
   * source are databases on the stack's Postgres, or the given ones.
   */
  static async create(
    stack: TestStack,
    example: string,
    partitions = 6,
    keyStore?: TestDatabase,
    source?: TestDatabase,
  ): Promise<LivePipeline> {
    source ??= await freshDatabase(stack.endpoints, 'live');
    const keys = keyStore ?? (await freshDatabase(stack.endpoints, 'live_keys'));
    return new LivePipeline(stack, source, keys, resolve(root, example), partitions);
  }

  /** The same with BeanCart's lethe.yaml, without its rules, and contracts that are the test's own, their texts by file name. */
  static async ofContracts(
    stack: TestStack,
    contracts: Readonly<Record<string, string>>,
    partitions: number,
    source?: TestDatabase,
  ): Promise<LivePipeline> {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-contracts-'));
    try {
      mkdirSync(join(folder, 'contracts'));
      const yaml = readFileSync(join(root, 'examples', 'beancart', 'lethe.yaml'), 'utf8');
      writeFileSync(join(folder, 'lethe.yaml'), yaml.replace(/^rules: .*\n/m, ''));
      for (const [name, text] of Object.entries(contracts)) {
        writeFileSync(join(folder, 'contracts', name), text);
      }
      return await LivePipeline.create(stack, join(folder, 'lethe.yaml'), partitions, undefined, source);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async apply(options: { rebuild?: boolean } = {}): Promise<Project> {
    await applyProject(this.configPath, options);
    return this.open();
  }

  /** Reads files and tables as they are now. */
  async open(): Promise<Project> {
    this.project = await openProject(this.configPath);
    return this.project;
  }

  /** Starts an instance; `preload` is a module that Node imports first. */
  run(args: readonly string[] = [], env: Record<string, string> = {}, preload?: string): Instance {
    const logFile = join(this.folder, 'logs', `run-${this.instances.length}.log`);
    const log = openSync(logFile, 'a');
    const main = join(root, 'dist', 'cli', 'main.js');
    const child = spawn(
      process.execPath,
      [...(preload ? ['--import', preload] : []), main, 'run', '--config', this.configPath, ...args],
      { env: { ...process.env, ...this.env, ...env }, stdio: ['ignore', log, log] },
    );
    const ended = new Promise<NodeJS.Signals | number | null>((done) => {
      child.once('exit', (code, signal) => done(signal ?? code));
    });
    const instance = { child, logFile, ended };
    this.instances.push(instance);
    return instance;
  }

  /** Waits until the instance has joined its groups and works. */
  async ready(instance: Instance): Promise<void> {
    await waitUntil(
      () => readFileSync(instance.logFile, 'utf8').includes('"msg":"running"'),
      // A member that was killed is in its group, which waits for it, until its session is over.
      120_000,
      'lethe run',
    );
  }

  /** Waits until both sinks hold everything, then compares; fails with the comparison's table. */
  async expectEqual(limitMs = 240_000): Promise<TableComparison[]> {
    const { config, datasets, contracts } = this.project!;
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(limitMs) });
    // The oracle opens what is under master keys in a file by itself; those of a keeper never come out.
    const compare = () =>
      comparePipeline(
        config,
        contracts.map((c) => c.contract),
        config.keys.master.kind === 'local' ? {} : { openEpoch: masterOpener(config) },
      );
    const comparisons = await compare();
    if (!allEqual(comparisons)) {
      // Tell a difference that stays from a change that came too late for the wait.
      await waitForSinks(config, datasets, { signal: AbortSignal.timeout(limitMs) });
      const again = await compare();
      const verdict = allEqual(again) ? 'equal at the second look' : 'it stays';
      throw new Error(`${formatComparison(comparisons, { colour: false })}${verdict}`);
    }
    return comparisons;
  }

  logs(): string[] {
    return this.instances.map((i) => i.logFile);
  }

  async close(): Promise<void> {
    for (const { child } of this.instances) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(this.instances.map((i) => i.ended));
    if (this.project) {
      const { config } = this.project;
      await deleteCapture(config);
      const admin = new kafkajs.Kafka({
        brokers: config.kafka.brokers,
        logLevel: kafkajs.logLevel.NOTHING,
      }).admin();
      await admin.connect();
      const own = (await admin.listTopics()).filter((t) => t.startsWith(config.topics.prefix));
      if (own.length > 0) await admin.deleteTopics({ topics: own });
      await admin.disconnect();
    }
    await this.source.drop();
    await this.keys.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Awaits a condition by polling it; fails, named, after the limit. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
