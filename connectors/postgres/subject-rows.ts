import type { ClientBase } from 'pg';
import type { Dataset } from '../../schemas/dataset.ts';
import { isoDate } from '../../schemas/iso-date.ts';
import type { Hop } from '../../schemas/lookup-path.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import { debeziumTimestamptz } from '../preview/debezium-text.ts';
import { selectExpression } from '../preview/source-value.ts';
import { beginReading, type SourceRow } from '../preview/source-rows.ts';
import { type Catalog, type CatalogColumn, readCatalog } from './catalog.ts';
import { quoteName, quoteTable } from './quote.ts';
import { keepParametersOutOfLog } from './quiet-log.ts';

/** Hands out `$1`, `$2`, …: each has the type of the column that it is compared with, so no two places share one. */
export class Placeholders {
  count = 0;

  next(): string {
    return `$${++this.count}`;
  }
}

/** SQL that holds of a subject's rows of a table under an alias; the id is a parameter, once for each placeholder. */
export type SubjectCondition = (alias: string, placeholders: Placeholders) => string;

/** A row of a subject, as the source has it. */
export interface SubjectRow {
  /** Canonical texts of the primary key, in its order. */
  readonly key: readonly string[];
  /** Canonical texts of the asked columns; what has no canonical text is as Postgres prints it. */
  readonly values: ReadonlyMap<string, string | null>;
}

/**
 * Whose rows they are: by the row's own column, or over the primary keys of the tables on its path. Compared as the source compares, that is
 * as its own foreign keys do. The catalog has the tables of the path.
 */
export function subjectCondition(
  dataset: Pick<Dataset, 'table'> & { readonly subject: NonNullable<Dataset['subject']> },
  catalog: Catalog,
): SubjectCondition {
  const { key, hops } = dataset.subject;
  return (alias, placeholders) =>
    stepsTo({ alias, table: dataset.table, column: key }, hops, catalog, (value) => {
      return `${value} = ${placeholders.next()}`;
    });
}

/** SQL that holds of the rows under an alias that lead to anybody. */
export function someonesCondition(
  { table, subject }: Pick<Dataset, 'table'> & { readonly subject: NonNullable<Dataset['subject']> },
  catalog: Catalog,
  alias: string,
): string {
  const place = { alias, table, column: subject.key };
  return stepsTo(place, subject.hops, catalog, (value) => `${value} is not null`);
}

interface Place {
  readonly alias: string;
  readonly table: string;
  readonly column: string;
}

function stepsTo(
  { alias, table, column }: Place,
  [hop, ...further]: readonly Hop[],
  catalog: Catalog,
  holds: (value: string) => string,
): string {
  const value = `${alias}.${quoteName(column)}`;
  if (!hop) return holds(value);
  const inner = `${alias}_up`;
  const keyName = catalog.tables.get(hop.table)!.primaryKey[0]!;
  const key = `${inner}.${quoteName(keyName)}`;
  // An enum and a text are equal in no operator's eyes.
  const [own, other] = [columnOf(catalog, table, column), columnOf(catalog, hop.table, keyName)];
  const asText = own.typeName !== other.typeName && [own, other].some(({ typeKind }) => typeKind === 'e');
  const cast = asText ? '::text' : '';
  const rest = stepsTo({ alias: inner, table: hop.table, column: hop.column }, further, catalog, holds);
  return `${value}${cast} in (select ${key}${cast} from ${quoteTable(hop.table)} ${inner} where ${rest})`;
}

function columnOf(catalog: Catalog, table: string, name: string): CatalogColumn {
  const column = catalog.tables.get(table)?.columns.find((candidate) => candidate.name === name);
  if (!column) throw new Error(`unchecked column ${table}.${name}`);
  return column;
}

/** Tables that a dataset's subject is looked up in. */
export function tablesOnTheWay(dataset: Pick<Dataset, 'subject'>): string[] {
  return (dataset.subject?.hops ?? []).map(({ table }) => table);
}

/** What {@link sourceRowsOf} must know of a dataset's tables: to be read once where many persons are looked for. */
export async function subjectCatalog(
  client: ClientBase,
  dataset: Pick<Dataset, 'table' | 'subject'>,
): Promise<Catalog> {
  return readCatalog(client, [dataset.table, ...tablesOnTheWay(dataset)]);
}

/**
 * The subject's rows of a table, in batches, as of one moment: in a transaction of its own that changes nothing and waits for no lock of
 * the application. Nothing else may run on the connection until the last batch was taken. A table without a subject has none.
 * `catalog`: see {@link subjectCatalog}; read if left out.
 */
export async function* sourceRowsOf(
  client: ClientBase,
  dataset: Pick<Dataset, 'table' | 'subject'>,
  subjectId: string,
  {
    columns = [],
    batchRows = 1_000,
    catalog: known,
  }: { columns?: readonly string[]; batchRows?: number; catalog?: Catalog } = {},
): AsyncGenerator<readonly SubjectRow[], void> {
  if (!dataset.subject) return;
  const catalog = known ?? (await subjectCatalog(client, dataset));
  const keyNames = catalog.tables.get(dataset.table)!.primaryKey;
  const asked = [...new Set([...keyNames, ...columns])].map((name) => columnOf(catalog, dataset.table, name));
  for await (const rows of printedRowsOf(client, dataset, subjectId, {
    columns: asked,
    catalog,
    batchRows,
  })) {
    yield rows.map((row) => {
      const values = new Map(asked.map((column, i) => [column.name, canonicalText(column, row[i] ?? null)]));
      return {
        key: keyNames.map((name) => values.get(name)!),
        values: new Map(columns.map((name) => [name, values.get(name)!])),
      };
    });
  }
}

/** The same rows as {@link selectExpression} prints the asked columns, in their order. */
export async function* printedRowsOf(
  client: ClientBase,
  { table, subject }: Pick<Dataset, 'table' | 'subject'>,
  subjectId: string,
  asked: {
    readonly columns: readonly CatalogColumn[];
    readonly catalog: Catalog;
    readonly batchRows: number;
  },
): AsyncGenerator<readonly SourceRow[], void> {
  if (!subject) return;
  const placeholders = new Placeholders();
  const where = subjectCondition({ table, subject }, asked.catalog)('t', placeholders);
  const selected = asked.columns.map(selectExpression).join(', ');
  const text = `declare lethe_rows no scroll cursor for select ${selected} from ${quoteTable(table)} t where ${where}`;
  await client.query(beginReading);
  try {
    await client.query(keepParametersOutOfLog);
    await client.query(
      text,
      Array.from({ length: placeholders.count }, () => subjectId),
    );
    for (;;) {
      const { rows } = await client.query<(string | null)[]>({
        text: `fetch ${asked.batchRows} from lethe_rows`,
        rowMode: 'array',
        // Every value as Postgres prints it.
        types: { getTypeParser: () => (printed: string) => printed },
      });
      if (rows.length === 0) return;
      yield rows;
    }
  } finally {
    await client.query('rollback');
  }
}

/** The canonical text, as the transform makes it of the change event, of what {@link selectExpression} gives. */
function canonicalText(column: CatalogColumn, printed: string | null): string | null {
  if (printed === null) return null;
  switch (valueKind(column)) {
    case 'boolean':
      return printed === 't' ? 'true' : 'false';
    case 'date':
      return /^-?\d+$/.test(printed) ? isoDate(Number(printed)) : printed;
    case 'timestamptz':
      return debeziumTimestamptz(printed, column.fractionDigits ?? 6);
    default:
      return printed;
  }
}
