import type { Facts, Lookups } from '../../pipeline/lookup.ts';
import type { PostgresEndpoint } from '../../pipeline/postgres-options.ts';
import type { Contract } from '../../schemas/contract.ts';
import { pathsOf } from '../../schemas/lookups.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import type { Catalog, CatalogColumn, CatalogTable } from '../postgres/catalog.ts';
import { quoteName, quoteTable } from '../postgres/quote.ts';
import { withSource } from '../postgres/source-client.ts';
import { beginReading, type SourceRow } from './source-rows.ts';

/** Rows of other tables by table and key. */
type Found = Map<string, Map<string, Record<string, string | null>>>;

/**
 * What the paths of a contract look up for these rows, read from the source hop by hop. `columns` names what the rows
 * hold, in their order.
 */
export async function readLookups(
  endpoint: PostgresEndpoint,
  contract: Contract,
  catalog: Pick<Catalog, 'tables'>,
  rows: readonly SourceRow[],
  columns: readonly string[],
): Promise<Lookups> {
  const found: Found = new Map();
  const paths = pathsOf(contract);
  if (paths.length > 0 && rows.length > 0) {
    await withSource(endpoint, async (client) => {
      await client.query(beginReading);
      for (const { column, hops } of paths) {
        const place = columns.indexOf(column);
        let values = rows.map((row) => row[place] ?? null);
        for (const hop of hops) {
          const known = rowsOf(found, hop.table);
          const { rows: read } = await client.query<[string, string | null]>({
            ...select(catalog.tables.get(hop.table)!, hop.column),
            values: [values.filter((value) => value !== null)],
            rowMode: 'array',
            types: { getTypeParser: () => (text: string) => text },
          });
          for (const [key, value] of read) known.set(key, { ...known.get(key), [hop.column]: value });
          values = read.map(([, value]) => value);
        }
      }
      await client.query('rollback');
    });
  }
  return {
    find: (table, key): Facts | undefined => found.get(table)?.get(key),
    // Nothing waits in a preview.
    digest: () => '',
  };
}

function rowsOf(found: Found, table: string): Map<string, Record<string, string | null>> {
  const known = found.get(table) ?? new Map<string, Record<string, string | null>>();
  found.set(table, known);
  return known;
}

/** The key and one column of the rows with these keys, in canonical text. */
function select(table: CatalogTable, column: string): { text: string } {
  const keyColumn = table.columns.find(({ name }) => name === table.primaryKey[0])!;
  const key = quoteName(keyColumn.name);
  const kind = valueKind(table.columns.find(({ name }) => name === column)!);
  // A boolean prints as t, but is written as true.
  const value = kind === 'boolean' ? `${quoteName(column)}::text` : quoteName(column);
  return {
    text: `select ${key}, ${value} from ${quoteTable(table.table)} where ${isAmong(key, keyColumn)}`,
  };
}

/** Compared as what it is, so that its index is used; an enum has no other type to be compared with. */
function isAmong(key: string, column: CatalogColumn): string {
  if (column.typeKind === 'e') return `${key}::text = any($1)`;
  const kind = valueKind(column);
  const type = kind === 'int' || kind === 'long' ? 'int8' : kind === 'uuid' ? 'uuid' : 'text';
  return `${key} = any($1::${type}[])`;
}
