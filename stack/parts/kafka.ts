import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { componentPath } from '../cache/component.ts';
import { StackError } from '../stack-error.ts';
import { stackVersions } from '../versions.ts';
import { classArchiveOptions } from './class-archive.ts';
import { clearTmp, javaOptions, properties, writeLog4j } from './java-server.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';

/** The largest record of the stack: a TOASTed value may be far above Kafka's default of 1 MB. */
export const LARGEST_RECORD_BYTES = 20 * 1024 * 1024;

/** Kafka in KRaft mode: one node that is broker and controller. */
export const kafkaPart: Part = {
  name: 'kafka',
  version: stackVersions().kafka.version,
  needs: [],
  ports: ['kafka', 'kafkaController'],
  stopSignal: 'SIGTERM',
  stopLimitMs: 40_000,
  readyLimitMs: 240_000,
  prepare: async (context) => {
    clearTmp(context.folder);
    if (!existsSync(join(logs(context), 'meta.properties'))) await format(context);
    writeFileSync(configFile(context), properties(settings(context, logs(context))));
  },
  command: (context) => ({
    command: context.java,
    args: [
      ...javaOptions(context.folder, ['192m', '512m']),
      ...classArchiveOptions(context, context.components.kafka),
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      log4j(context),
      `--class-path=${kafkaClassPath(context)}`,
      'kafka.Kafka',
      configFile(context),
    ],
    cwd: context.folder.root,
  }),
  isReady: async (context) => {
    const client = new kafkajs.Kafka({
      brokers: [`127.0.0.1:${context.ports.kafka}`],
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: READY_REQUEST_MS,
      requestTimeout: READY_REQUEST_MS,
      retry: { retries: 0 },
    });
    const admin = client.admin();
    try {
      await admin.connect();
      // The broker lists itself only when the controller has let it in.
      return (await admin.describeCluster()).brokers.length > 0;
    } finally {
      await admin.disconnect();
    }
  },
};

/** The jars of Kafka, which hold Connect too. */
export function kafkaClassPath(context: PartContext): string {
  return join(componentPath(context.components.kafka), 'lib', '*');
}

function logs(context: PartContext): string {
  return join(context.folder.data, 'logs');
}

function configFile(context: PartContext): string {
  return join(context.folder.conf, 'server.properties');
}

function log4j(context: PartContext): string {
  return writeLog4j(context.folder, { 'org.reflections': 'ERROR', 'kafka.request.logger': 'WARN' });
}

function settings(context: PartContext, logDir: string): Record<string, string | number | boolean> {
  const { kafka, kafkaController } = context.ports;
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${kafkaController}`,
    listeners: `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafka}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': logDir,
    'num.partitions': 1,
    'auto.create.topics.enable': false,
    'delete.topic.enable': true,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'message.max.bytes': LARGEST_RECORD_BYTES,
    'replica.fetch.max.bytes': LARGEST_RECORD_BYTES,
    // Deleted and purged records leave the disk within seconds: their absence is what the product shows.
    'log.retention.check.interval.ms': 1_000,
    'log.initial.task.delay.ms': 500,
    'log.segment.delete.delay.ms': 1_000,
    'log.cleaner.backoff.ms': 1_000,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
  };
}

/** Into a folder beside, renamed when it is complete, so that a killed format is begun anew. */
async function format(context: PartContext): Promise<void> {
  const draft = join(context.folder.data, 'draft');
  rmSync(draft, { recursive: true, force: true });
  rmSync(logs(context), { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const config = join(context.folder.conf, 'format.properties');
  writeFileSync(config, properties(settings(context, draft)));
  const clusterId = randomBytes(16).toString('base64url');
  const child = spawn(
    context.java,
    [
      ...javaOptions(context.folder, ['32m', '128m']),
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      log4j(context),
      `--class-path=${kafkaClassPath(context)}`,
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${clusterId}`,
      `--config=${config}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], signal: context.signal },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2_000);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new StackError(
      'PART_DIED',
      `the storage of Kafka could not be formatted: ${output.trim().split('\n').slice(-2).join(' | ')}`,
      'see the message; `lethe stack reset` starts over',
    );
  }
  renameSync(draft, logs(context));
}
