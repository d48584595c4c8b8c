import { LetheError } from '../schemas/errors.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import type { Config } from '../schemas/config.ts';
import type { Sink } from '../pipeline/sink.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createClickhouseSink } from '../sinks/clickhouse/sink.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import { createElasticsearchSink } from '../sinks/elasticsearch/sink.ts';

/** The sink of this name with a client of its own, from lethe.yaml. */
export function createSink(config: Config, name: SinkName): Sink {
  if (name === 'elasticsearch' && config.elasticsearch) {
    return createElasticsearchSink(config, createElasticsearchClient(config.elasticsearch));
  }
  if (name === 'clickhouse' && config.clickhouse) {
    return createClickhouseSink(config, createClickhouseClient(config.clickhouse));
  }
  throw new LetheError(
    'CONFIG_INVALID',
    `lethe.yaml has no section ${name}, though a contract names that sink`,
  );
}
