import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { topicSpecs } from '../connectors/kafka/topic-settings.ts';
import { topicResources } from '../connectors/kafka/topics.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import * as names from '../schemas/names.ts';
import { backlogRate, insertBacklog } from './backlog.ts';
import type { BenchProject } from './bench-project.ts';
import { Child } from './child.ts';
import { type BenchConnector, letheConnector, pauseConnector } from './connector.ts';
import { groupRate } from './group-rate.ts';

/** Rows a second of each stage; every stage has the machine for itself. */
export const stages = [
  'debezium',
  'wal_raw',
  'passthrough',
  'transform',
  'two_transforms',
  'elasticsearch',
  'clickhouse',
] as const;
export type Stage = (typeof stages)[number];
export type Rates = Readonly<Record<Stage, number>>;

export interface ThroughputParts {
  readonly project: BenchProject;
  readonly alone: BenchConnector;
  readonly admin: Admin;
  readonly logs: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The topic that the passthrough writes, with the settings of the clean one. */
export function passthroughTopic({ config }: BenchProject): string {
  return `${config.name}.passthrough`;
}

export async function createPassthroughTopic(project: BenchProject, admin: Admin): Promise<void> {
  const { config, dataset } = project;
  const clean = names.cleanTopic(config, dataset.table);
  const specs = topicSpecs(config, [dataset]).filter((spec) => spec.topic === clean);
  const own = specs.map((spec) => ({ ...spec, topic: passthroughTopic(project) }));
  for (const resource of topicResources(own, (use) => use(admin))) await resource.apply([]);
}

/**
 * One round: `rows` new rows pass every stage, one stage after the other, and as many again for the second transform. Both
 * connectors are paused, before and after.
 */
export async function measureRound(
  parts: ThroughputParts,
  { first, rows }: { first: number; rows: number },
): Promise<Rates> {
  const { project, alone, admin, signal, say } = parts;
  const { config, dataset } = project;
  const measured: Partial<Record<Stage, number>> = {};
  const note = (stage: Stage, rate: number) => {
    measured[stage] = rate;
    say(`${stage}: ${Math.round(rate)} rows/s`);
  };
  const capture = async (from: number, stages: readonly [Stage, Stage] | undefined) => {
    say(`inserting ${rows} rows`);
    await insertBacklog(project, from, rows);
    for (const [i, connector] of [alone, letheConnector(project)].entries()) {
      const rate = await backlogRate(connector, rows, admin, signal);
      if (stages) note(stages[i]!, rate);
      await pauseConnector(connector, signal);
    }
  };
  await capture(first, ['debezium', 'wal_raw']);
  const raw = names.rawTopic(config, dataset.table);
  const clean = names.cleanTopic(config, dataset.table);
  const group = (stage: Stage, children: readonly Child[], groupId: string, topic: string, total = rows) =>
    groupRate({ children, groupId, topic, rows: total }, admin, signal).then((rate) => note(stage, rate));
  // It only reads: the very records that the transform gets next.
  await group('passthrough', [passthrough(parts, raw)], `lethe-${config.name}-passthrough`, raw);
  await group('transform', [lethe(parts, 'transform')], names.transformGroup(config), raw);
  await capture(first + rows, undefined);
  const two = [lethe(parts, 'transform'), lethe(parts, 'transform')];
  await group('two_transforms', two, names.transformGroup(config), raw);
  await refuseDeadLetters(parts);
  for (const sink of ['elasticsearch', 'clickhouse'] satisfies SinkName[]) {
    await group(sink, [lethe(parts, sink)], names.sinkGroup(config, sink), clean, 2 * rows);
  }
  await refuseDeadLetters(parts);
  return measured as Rates;
}

/** A `lethe run` of one component. */
export function lethe(
  { project, logs }: Pick<ThroughputParts, 'project' | 'logs'>,
  component: 'transform' | SinkName,
): Child {
  const args = ['run', '--config', project.configPath, '--only', component];
  return new Child('cli/main.js', args, join(logs, `${component}.log`));
}

function passthrough({ project, logs }: ThroughputParts, from: string): Child {
  const { name, kafka } = project.config;
  const to = passthroughTopic(project);
  const args = ['--name', name, '--broker', kafka.brokers[0]!, '--from', from, '--to', to];
  return new Child('bench/passthrough.js', args, join(logs, 'passthrough.log'));
}

/** A record that failed is fast: a rate with one among them would be a lie. */
export async function refuseDeadLetters({
  project,
  admin,
}: Pick<ThroughputParts, 'project' | 'admin'>): Promise<void> {
  const topic = names.deadLetterTopic(project.config, project.dataset.table);
  const ends = await admin.fetchTopicOffsets(topic);
  if (ends.some(({ high }) => high !== '0')) throw new Error(`there are dead letters in ${topic}`);
}
