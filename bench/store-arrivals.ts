import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkName } from '../schemas/sink-name.ts';
import * as names from '../schemas/names.ts';
import { createClickhouseClient } from '../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../sinks/elasticsearch/client.ts';
import type { BenchProject } from './bench-project.ts';
import { type Arrivals, now } from './clean-arrivals.ts';

const askEveryMs = 20;
/** Most rows of one question. */
const mostRows = 1_000;

/** Asks a store again and again which of the rows that it is to get its readers see. */
export class StoreArrivals {
  readonly seen: Arrivals = new Map();
  private readonly awaited = new Set<number>();
  private readonly store: ReadableStore;
  private running: Promise<void> | undefined;
  private stopping = false;

  constructor(store: ReadableStore) {
    this.store = store;
  }

  expect(row: number): void {
    this.awaited.add(row);
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
      const rows = [...this.awaited].slice(0, mostRows);
      const visible = rows.length === 0 ? [] : await this.store.visible(rows);
      // The answer's time, not the question's: a query is part of what a reader waits.
      const atMs = now();
      for (const row of visible) {
        this.seen.set(row, atMs);
        this.awaited.delete(row);
      }
      await sleep(askEveryMs);
    }
  }
}

const readers = { clickhouse: clickhouseReader, elasticsearch: elasticsearchReader };

export function storeArrivals(project: BenchProject, sink: SinkName): StoreArrivals {
  return new StoreArrivals(readers[sink](project));
}

/** A store as its readers have it: by the view, or by a search of the alias. */
interface ReadableStore {
  /** Those of the rows that a query finds. */
  visible(rows: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
}

function clickhouseReader({ config, dataset }: BenchProject): ReadableStore {
  const client = createClickhouseClient(config.clickhouse!);
  const view = `"${names.clickhouseDatabase(config)}"."${names.clickhouseView(dataset.table)}"`;
  return {
    async visible(rows) {
      const query = `SELECT toString(id) FROM ${view} WHERE id IN (${rows.join(', ')})`;
      const result = await client.query({ query, format: 'JSONCompactEachRow' });
      return (await result.json<[string]>()).map(([id]) => Number(id));
    },
    close: () => client.close(),
  };
}

function elasticsearchReader({ config, dataset }: BenchProject): ReadableStore {
  const client = createElasticsearchClient(config.elasticsearch!);
  const index = names.indexAlias(config, dataset.table);
  return {
    async visible(rows) {
      const query = { terms: { id: [...rows] } };
      const found = await client.search({ index, query, size: rows.length, _source: false });
      // The document's id is the row's key.
      return found.hits.hits.map(({ _id }) => Number(_id));
    },
    close: () => client.close(),
  };
}
