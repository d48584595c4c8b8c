import type { PostgresEndpoint } from '../../pipeline/postgres-options.ts';
import type { CatalogColumn } from '../postgres/catalog.ts';
import { quoteName, quoteTable } from '../postgres/quote.ts';
import { withSource } from '../postgres/source-client.ts';
import { selectExpression } from './source-value.ts';

/** Texts of a row in the order of the asked columns. */
export type SourceRow = readonly (string | null)[];

/** The transaction can change nothing, waits for no lock of the application, and prints what {@link selectExpression} counts on. */
export const beginReading = `
  begin transaction isolation level repeatable read, read only;
  set local lock_timeout = '2s';
  set local statement_timeout = '30s';
  set local timezone = 'UTC';
  set local datestyle = 'ISO, YMD';
  set local intervalstyle = 'iso_8601';
  set local bytea_output = 'hex';
  set local extra_float_digits = 1`;

/** The first rows of a table by its primary key; no column but those asked for leaves the source. Throws a LetheError. */
export function readSourceRows(
  endpoint: PostgresEndpoint,
  table: string,
  columns: readonly CatalogColumn[],
  key: readonly string[],
  limit: number,
): Promise<SourceRow[]> {
  return withSource(endpoint, async (client) => {
    await client.query(beginReading);
    const { rows } = await client.query<(string | null)[]>({
      text:
        `select ${columns.map(selectExpression).join(', ')} from ${quoteTable(table)} ` +
        `order by ${key.map(quoteName).join(', ')} limit ${limit}`,
      rowMode: 'array',
      // Every value as Postgres prints it.
      types: { getTypeParser: () => (text: string) => text },
    });
    await client.query('rollback');
    return rows;
  });
}
