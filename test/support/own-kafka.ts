import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { cacheFolder } from '../../stack/cache/cache-folder.ts';
import { componentPath } from '../../stack/cache/component.ts';
import { stackComponents } from '../../stack/cache/components.ts';
import { postgresCache } from '../../stack/parts/postgres-place.ts';
import { currentPlatform } from '../../stack/platform.ts';
import { pickPort } from '../../stack/ports.ts';
import { waitUntil } from './live-pipeline.ts';

export const user = 'lethe';
export const password = 'own-kafka-secret';

/** A broker of the test's own whose clients need TLS and a password, which the shared one has not. */
export class OwnKafka {
  readonly broker: string;
  /** PEM text of the authority that the broker's certificate is of: its own. */
  readonly ca: string;
  private readonly folder: string;
  private readonly server: ChildProcess;

  private constructor(folder: string, broker: string, ca: string, server: ChildProcess) {
    this.folder = folder;
    this.broker = broker;
    this.ca = ca;
    this.server = server;
  }

  /**
   * Between the choice of its ports and its own listening another process can take one of them, and then it
   * ends; so it is tried again with others.
   */
  static async start(attemptsLeft = 2): Promise<OwnKafka> {
    const kafka = await OwnKafka.launch();
    try {
      await waitUntil(async () => kafka.ended || (await kafka.answers()), 60_000, 'the secured Kafka');
      if (!kafka.ended) return kafka;
      throw new Error(`the secured Kafka ended: ${kafka.lastWords()}`);
    } catch (error) {
      await kafka.stop();
      if (attemptsLeft === 0) throw error;
      return await OwnKafka.start(attemptsLeft - 1);
    }
  }

  private static async launch(): Promise<OwnKafka> {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-kafka-'));
    const port = await pickPort(new Set());
    const controller = await pickPort(new Set([port]));
    const inside = await pickPort(new Set([port, controller]));
    const store = join(folder, 'broker.p12');
    const keys = ['-keystore', store, '-storepass', password, '-alias', 'broker'];
    run('keytool', ['-genkeypair', ...keys, '-keyalg', 'RSA', '-dname', 'CN=localhost', ...subject]);
    const ca = run('keytool', ['-exportcert', '-rfc', ...keys]);
    const config = join(folder, 'server.properties');
    writeFileSync(config, settings(folder, store, { port, controller, inside }));
    const classes = join(componentPath(components().kafka), 'lib', '*');
    const scram = `SCRAM-SHA-512=[name=${user},password=${password}]`;
    run('java', [
      '-cp',
      classes,
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id=MkU3OEVBNTcwNTJENDM2Qg',
      `--config=${config}`,
      `--add-scram=${scram}`,
    ]);
    const output = openSync(join(folder, OUTPUT), 'w');
    const server = spawn('java', ['-Xmx256m', '-cp', classes, 'kafka.Kafka', config], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    return new OwnKafka(folder, `localhost:${port}`, ca, server);
  }

  client(): kafkajs.Kafka {
    return new kafkajs.Kafka({
      brokers: [this.broker],
      ssl: { ca: this.ca },
      sasl: { mechanism: 'plain', username: user, password },
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
    });
  }

  async stop(): Promise<void> {
    if (!this.ended) {
      const ended = new Promise((resolve) => this.server.once('exit', resolve));
      this.server.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get ended(): boolean {
    return this.server.exitCode !== null || this.server.signalCode !== null;
  }

  private lastWords(): string {
    return readFileSync(join(this.folder, OUTPUT), 'utf8').slice(-2000);
  }

  private async answers(): Promise<boolean> {
    const admin = this.client().admin();
    try {
      await admin.connect();
      return (await admin.describeCluster()).brokers.length > 0;
    } catch {
      return false;
    } finally {
      await admin.disconnect();
    }
  }
}

const OUTPUT = 'output.log';
const subject = ['-ext', 'SAN=dns:localhost', '-ext', 'BC=ca:true', '-validity', '2'];

function components(): ReturnType<typeof stackComponents> {
  const cache = cacheFolder();
  return stackComponents(currentPlatform()!, cache, postgresCache(cache));
}

function settings(
  folder: string,
  store: string,
  ports: Record<'port' | 'controller' | 'inside', number>,
): string {
  const { port, controller, inside } = ports;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`;
  const listener = 'listener.name.secured';
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@localhost:${controller}`,
    listeners: `SECURED://localhost:${port},CONTROLLER://localhost:${controller},INSIDE://localhost:${inside}`,
    'advertised.listeners': `SECURED://localhost:${port},INSIDE://localhost:${inside}`,
    'inter.broker.listener.name': 'INSIDE',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,SECURED:SASL_SSL',
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-512',
    [`${listener}.plain.sasl.jaas.config`]: plain,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: scram,
    [`${listener}.ssl.keystore.location`]: store,
    [`${listener}.ssl.keystore.password`]: password,
    'log.dirs': join(folder, 'logs'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Its output; fails with what it said, which is only of this test's making. */
function run(command: string, args: readonly string[]): string {
  const ended = spawnSync(command, args, { encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(`${command} ended with ${ended.status}: ${ended.stderr}`);
  return ended.stdout;
}
