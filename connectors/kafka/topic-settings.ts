import { type Config, noticeDays } from '../../schemas/config.ts';
import { type Dataset, followsPaths } from '../../schemas/dataset.ts';
import {
  cleanTopic,
  deadLetterSegmentMs,
  deadLetterTopic,
  heartbeatTable,
  lookupTombstoneMs,
  lookupTopic,
  noticeTopic,
  parkedTopic,
  rawPrefix,
  rawSegmentMs,
  rawTopic,
  signalTable,
  anchorTopic,
  ledgerTopic,
  signalTopic,
} from '../../schemas/names.ts';

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: Readonly<Record<string, string>>;
}

/** Postgres takes values of up to 1 GB; what is larger than this in Kafka is a dead letter that says so. */
export const recordMaxBytes = 20 * 1024 * 1024;
/** Encryption and pseudonyms lengthen a record: what came in must go out. */
const cleanRecordMaxBytes = 24 * 1024 * 1024;
/** A segment must hold the largest batch. */
const segmentBytes = 32 * 1024 * 1024;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What was purged goes from the disk with its segment: segments are short, and gone soon after. */
const rawSettings = {
  'cleanup.policy': 'delete',
  // The raw topic never expires what is not consumed: it is purged after the commit.
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'segment.ms': String(rawSegmentMs),
  'segment.bytes': String(segmentBytes),
  'file.delete.delay.ms': '1000',
  'max.message.bytes': String(recordMaxBytes),
  'compression.type': 'producer',
};

/** The last state of every row, for as long as the row lives; a tombstone stays for sinks that were away. */
const cleanSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.1',
  'max.compaction.lag.ms': String(dayMs),
  'segment.ms': String(7 * dayMs),
  'delete.retention.ms': String(7 * dayMs),
  'segment.bytes': String(4 * segmentBytes),
  // What is compacted leaves the disk at once, not after a minute.
  'file.delete.delay.ms': '1000',
  'max.message.bytes': String(cleanRecordMaxBytes),
  'compression.type': 'producer',
};

/** Under these a compacted topic closes its segments, and what was replaced in them is compacted, at once. */
export const hurriedSettings = {
  'min.cleanable.dirty.ratio': '0.001',
  'max.compaction.lag.ms': '1000',
  'segment.ms': '1000',
};

/**
 * While a contract is being changed: the records of the rereading start new segments, and what they replace is compacted at once
 * instead of within a day.
 */
const changingSettings = { ...cleanSettings, ...hurriedSettings };

/** Facts that paths look up: a process that was away for longer than tombstones stay reads them all anew. */
const lookupSettings = {
  ...cleanSettings,
  'delete.retention.ms': String(lookupTombstoneMs),
  'segment.bytes': String(segmentBytes),
};

/** Rows in waiting: gone from the disk soon after they are released. */
const parkedSettings = {
  ...cleanSettings,
  'max.compaction.lag.ms': String(hourMs),
  'delete.retention.ms': String(hourMs),
  'segment.ms': String(hourMs / 6),
  'segment.bytes': String(segmentBytes),
};

/** A letter that is settled gets a tombstone and goes soon after; one that nobody settles goes after a month. */
const deadLetterSettings = {
  'cleanup.policy': 'compact,delete',
  'min.cleanable.dirty.ratio': '0.1',
  'max.compaction.lag.ms': String(hourMs / 6),
  'delete.retention.ms': String(hourMs),
  'segment.ms': String(deadLetterSegmentMs),
  'file.delete.delay.ms': '1000',
  'retention.ms': String(30 * dayMs),
  'retention.bytes': '-1',
  'segment.bytes': String(segmentBytes),
  'max.message.bytes': String(cleanRecordMaxBytes),
  'compression.type': 'producer',
};

/** Heartbeats and Debezium's own marks: read at once or never. */
const passingSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': String(hourMs),
  'segment.ms': String(hourMs / 6),
};

/** What the transform asks of the connector must outlast the time that it is away. */
const signalSettings = { ...passingSettings, 'retention.ms': String(7 * dayMs), 'segment.ms': String(dayMs) };

/** Records of some hundred bytes, of which the newest of each name counts, for ever. */
const noteSettings = {
  'cleanup.policy': 'compact',
  'min.cleanable.dirty.ratio': '0.1',
  'segment.ms': String(dayMs),
};

/** Notices of erasures: gone soon after they are acknowledged, and in the end in any case, since who can guess a key can check it by one. */
const noticeSettings = {
  'cleanup.policy': 'compact,delete',
  'min.cleanable.dirty.ratio': '0.1',
  'max.compaction.lag.ms': String(hourMs),
  'delete.retention.ms': String(dayMs),
  'segment.ms': String(hourMs / 6),
  'file.delete.delay.ms': '1000',
  'retention.ms': String(noticeDays * dayMs),
  'retention.bytes': '-1',
  'segment.bytes': String(segmentBytes),
  'max.message.bytes': String(recordMaxBytes),
};

/**
 * Every topic of the pipeline. Debezium's are among them: a topic made by its first record has other settings.
 * `underChange`: tables whose contract is being changed.
 */
export function topicSpecs(
  config: Pick<Config, 'name' | 'topics' | 'erasure'>,
  datasets: readonly Pick<Dataset, 'table' | 'contract' | 'facts'>[],
  underChange: ReadonlySet<string> = new Set(),
): TopicSpec[] {
  const { partitions, replicationFactor } = config.topics;
  const spec = (topic: string, count: number, settings: TopicSpec['settings']): TopicSpec => ({
    topic,
    partitions: count,
    replicationFactor,
    settings,
  });
  return [
    ...datasets.flatMap((dataset) => {
      const { table } = dataset;
      const clean = underChange.has(table) ? changingSettings : cleanSettings;
      return [
        spec(rawTopic(config, table), partitions, rawSettings),
        spec(cleanTopic(config, table), partitions, clean),
        spec(deadLetterTopic(config, table), 1, deadLetterSettings),
        ...(dataset.facts.length > 0 ? [spec(lookupTopic(config, table), partitions, lookupSettings)] : []),
        ...(followsPaths(dataset) ? [spec(parkedTopic(config, table), partitions, parkedSettings)] : []),
      ];
    }),
    // Debezium reads signals in order only from one partition.
    spec(signalTopic(config), 1, signalSettings),
    spec(anchorTopic(config), 1, noteSettings),
    spec(ledgerTopic(config), 1, noteSettings),
    ...(config.erasure.recipients.length > 0 ? [spec(noticeTopic(config), 1, noticeSettings)] : []),
    spec(rawTopic(config, heartbeatTable(config)), 1, passingSettings),
    // Debezium emits its own signals too, and would stop at a topic that is not there.
    spec(rawTopic(config, signalTable(config)), 1, passingSettings),
    spec(`__debezium-heartbeat.${rawPrefix(config)}`, 1, passingSettings),
  ];
}
