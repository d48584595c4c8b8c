import type { Config } from '../../schemas/config.ts';
import type { Contract } from '../../schemas/contract.ts';
import { cleanTopic, deadLetterTopic, rawTopic } from '../../schemas/names.ts';
import type { Place } from '../scan.ts';
import { clickhouseApiPlace } from './clickhouse-api.ts';
import { clickhouseFilesPlace } from './clickhouse-files.ts';
import { connectPlace } from './connect.ts';
import { elasticsearchApiPlace } from './elasticsearch-api.ts';
import { elasticsearchFilesPlace } from './elasticsearch-files.ts';
import { kafkaSegmentsPlace } from './kafka-segments.ts';
import { kafkaTopicsPlace } from './kafka-topics.ts';
import { keyStorePlace } from './key-store.ts';
import { logsPlace } from './logs.ts';
import { registryPlace } from './registry.ts';

export interface PipelinePlaces {
  /** Log files, or folders of them, of the servers and of Lethe's own processes. */
  readonly logs: readonly string[];
}

/** Every place that a pipeline's data can have come to, on servers whose files are on this machine. */
export function pipelinePlaces(
  config: Config,
  contracts: readonly Contract[],
  { logs }: PipelinePlaces,
): Place[] {
  const tables = contracts.map((contract) => contract.table);
  const { elasticsearch, clickhouse } = config;
  return [
    kafkaTopicsPlace(
      config,
      'clean topics',
      tables.map((table) => cleanTopic(config, table)),
    ),
    kafkaTopicsPlace(
      config,
      'dead letter topics',
      tables.map((table) => deadLetterTopic(config, table)),
    ),
    kafkaSegmentsPlace({ kafka: config.kafka, rawTopics: tables.map((table) => rawTopic(config, table)) }),
    ...(elasticsearch ? [elasticsearchApiPlace(elasticsearch), elasticsearchFilesPlace(elasticsearch)] : []),
    ...(clickhouse ? [clickhouseApiPlace(clickhouse), clickhouseFilesPlace(clickhouse)] : []),
    ...(contracts.some(hasPath) ? [logsPlace([config.state], 'state on disk')] : []),
    registryPlace(config.registry),
    connectPlace(config.connect),
    keyStorePlace(config.keys),
    logsPlace(logs),
  ];
}

/** Only then does the transform keep anything on disk. */
function hasPath({ subject, consent }: Contract): boolean {
  return (subject !== undefined && 'path' in subject) || (consent !== undefined && 'path' in consent);
}
