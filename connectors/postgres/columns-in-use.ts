import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { contractsTable, publicationName } from '../../schemas/names.ts';
import { type AppliedContract, gateIntervalMs } from './applied-contracts.ts';
import { withSource } from './source-client.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/**
 * The datasets with the columns that leave Postgres until the contract is recorded: those that instances under the contract of before
 * work with do not go from under them, or they would write rows without them, or bury rows that must have them.
 */
export async function withColumnsInUse(
  client: ClientBase,
  config: Named,
  datasets: readonly Dataset[],
  applied: ReadonlyMap<string, AppliedContract>,
): Promise<Dataset[]> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select schemaname || '.' || tablename as "table", attnames::text[] as columns
     from pg_catalog.pg_publication_tables where pubname = $1`,
    [publicationName(config)],
  );
  const published = new Map(rows.map(({ table, columns }) => [table, columns]));
  return datasets.map((dataset) => {
    const own = applied.get(dataset.table);
    if (!own || own.digest === dataset.digest) return dataset;
    const used = (published.get(dataset.table) ?? []).filter((name) =>
      Object.hasOwn(own.rules.columns, name),
    );
    // In the table's order where columns only go: then the connector is as it is.
    const joined = [...used, ...dataset.published.filter((name) => !used.includes(name))];
    return joined.length === dataset.published.length ? dataset : { ...dataset, published: joined };
  });
}

/** Ends when every instance has had the time to see which contracts were recorded last. */
export async function everyInstanceKnows(config: Named): Promise<void> {
  await withSource(config.postgres, async (client) => {
    await client.query(
      `select pg_sleep(greatest(0, $1 - extract(epoch from clock_timestamp() - max(applied_at))))
       from ${contractsTable(config)}`,
      [(4 * gateIntervalMs) / 1000],
    );
  });
}
