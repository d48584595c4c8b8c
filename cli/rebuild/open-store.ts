import type { StoreCopy } from '../../pipeline/store-copy.ts';
import type { Sink } from '../../pipeline/sink.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { clickhouseCopy as clickhouseCopyName, copyAlias } from '../../schemas/names.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { clickhouseCopy } from '../../sinks/clickhouse/copy.ts';
import { createClickhouseSink } from '../../sinks/clickhouse/sink.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { elasticsearchCopy } from '../../sinks/elasticsearch/copy.ts';
import { createElasticsearchSink } from '../../sinks/elasticsearch/sink.ts';

/** A store whose rows of one table are rebuilt. */
export interface OpenStore {
  readonly copy: StoreCopy;
  /** Writes to what readers see, as the sink that runs. */
  readonly live: Sink;
  /** Writes to what is built beside it. */
  readonly next: Sink;
  close(): Promise<void>;
}

/** Opens the store of this name; CONFIG_INVALID where lethe.yaml has none. */
export function openStore(config: Config, name: SinkName, dataset: Dataset, generation: number): OpenStore {
  const { elasticsearch, clickhouse } = config;
  if (name === 'elasticsearch' && elasticsearch) {
    const client = createElasticsearchClient(elasticsearch);
    return {
      copy: elasticsearchCopy(config, dataset, generation, client),
      live: createElasticsearchSink(config, client),
      next: createElasticsearchSink(config, client, { alias: copyAlias(config, dataset.table, 'next') }),
      close: () => client.close(),
    };
  }
  if (name === 'clickhouse' && clickhouse) {
    const client = createClickhouseClient(clickhouse);
    return {
      copy: clickhouseCopy(config, dataset, generation, client),
      live: createClickhouseSink(config, client),
      next: createClickhouseSink(config, client, { table: clickhouseCopyName(dataset.table, 'next') }),
      close: () => client.close(),
    };
  }
  throw new LetheError('CONFIG_INVALID', `lethe.yaml has no section ${name}`);
}
