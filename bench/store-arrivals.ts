import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkName } from '../schemas/contract.ts';
import * as names from '../schemas/names.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import type { BenchProject } from './bench-project.ts';
import { type Arrivals, now } from './clean-arrivals.ts';

/** Asks a store again and again which of the awaited rows its readers see. */
class StoreArrivals {
  readonly seen: Arrivals = new Map();
  private readonly store: ReadableStore;
  private readonly everyMs: number;
  private lowest: number;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(store: ReadableStore, first: number, everyMs: number) {
    this.store = store;
    this.lowest = first;
    this.everyMs = everyMs;
  }

  start(): void {
    this.running = this.run();
    this.running.catch(() => {});
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    await this.store.close();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const rows = await this.store.rowsFrom(this.lowest);
      // The answer's time, not the question's: a query is part of what a reader waits.
      const atMs = now();
      for (const row of rows) if (!this.seen.has(row)) this.seen.set(row, atMs);
      while (this.seen.has(this.lowest)) this.lowest++;
      await sleep(this.everyMs);
    }
  }
}

const everyMs = { clickhouse: 20, elasticsearch: 50 } satisfies Record<SinkName, number>;
const readers = { clickhouse: clickhouseReader, elasticsearch: elasticsearchReader };

/** Watches a store for the rows from `first` on. */
export function storeArrivals(project: BenchProject, sink: SinkName, first: number): StoreArrivals {
  return new StoreArrivals(readers[sink](project), first, everyMs[sink]);
}

/** A store as its readers have it: by the view, or by a search of the alias. */
interface ReadableStore {
  /** Numbers of the visible rows from `first` on. */
  rowsFrom(first: number): Promise<number[]>;
  close(): Promise<void>;
}

function clickhouseReader({ config, dataset }: BenchProject): ReadableStore {
  const client = createClickhouseClient(config.clickhouse!);
  const view = `"${names.clickhouseDatabase(config)}"."${names.clickhouseView(dataset.table)}"`;
  return {
    async rowsFrom(first) {
      const query = `SELECT toUInt32(id) FROM ${view} WHERE id >= ${first}`;
      const result = await client.query({ query, format: 'JSONCompactEachRow' });
      return (await result.json<[number]>()).map(([id]) => id);
    },
    close: () => client.close(),
  };
}

function elasticsearchReader({ config, dataset }: BenchProject): ReadableStore {
  const client = createElasticsearchClient(config.elasticsearch!);
  const index = names.indexAlias(config, dataset.table);
  let counted = -1;
  let countedFrom = -1;
  return {
    async rowsFrom(first) {
      const query = { range: { id: { gte: first } } };
      // A count is cheap: the documents are asked for only after a refresh has shown new ones.
      const { count } = await client.count({ index, query });
      if (count === counted && first === countedFrom) return [];
      counted = count;
      countedFrom = first;
      const sort = [{ id: 'asc' as const }];
      const found = await client.search({ index, query, size: 10_000, sort, _source: false });
      return found.hits.hits.map((hit) => Number(hit.sort?.[0]));
    },
    close: () => client.close(),
  };
}
