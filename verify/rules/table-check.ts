import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import { quoteName, type TextRow } from '../postgres.ts';
import { VerifyError } from '../verify-error.ts';
import { type Kind, kindOfType } from './kind.ts';

/** A column that must stand in every place, and how. */
export interface ColumnCheck {
  readonly name: string;
  readonly kind: Kind;
  readonly rule: ColumnRule;
  /** Digits of a second's fraction that the column is declared with. */
  readonly fractionDigits: number;
}

/** What a table's contract asks of every place, derived from the catalog and the contract alone. */
export interface TableCheck {
  readonly table: string;
  readonly columns: readonly ColumnCheck[];
  /** Key columns in key order: each is also among `columns`. */
  readonly key: readonly ColumnCheck[];
  /** Columns that must stand nowhere: dropped, or named by no contract. */
  readonly absent: readonly string[];
  /** Whose data key encrypted values are under. */
  readonly subject?: {
    readonly type: string;
    readonly column: string;
    readonly kind: Kind;
    readonly fractionDigits: number;
  };
}

type Query = (sql: string, values?: unknown[]) => Promise<TextRow[]>;

/** Domains are followed to their base type. */
const columnsSql = `
  WITH RECURSIVE base(start, type, modifier) AS (
    SELECT oid, oid, -1 FROM pg_type
    UNION ALL
    SELECT b.start, t.typbasetype, t.typtypmod FROM base b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd'
  )
  SELECT a.attname AS name, t.typname AS type, t.typtype AS type_type,
         greatest(a.atttypmod, b.modifier) AS modifier,
         array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) AS key_place
  FROM pg_attribute a
  JOIN base b ON b.start = a.atttypid
  JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
  LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

/** Reads the table's columns and lays the contract over them. */
export async function readTableCheck(query: Query, contract: Contract): Promise<TableCheck> {
  const rows = await query(columnsSql, [qualifiedName(contract.table)]);
  if (rows.length === 0) throw new VerifyError('NOT_COVERED', `there is no table ${contract.table}`);
  const absent: string[] = [];
  const columns: (ColumnCheck & { keyPlace: number | null })[] = [];
  for (const row of rows) {
    const name = row['name']!;
    const rule = contract.columns[name];
    if (!rule || rule.action === 'drop') {
      absent.push(name);
      continue;
    }
    const keyPlace = row['key_place'] === null ? null : Number(row['key_place']);
    columns.push({
      name,
      rule,
      kind: kindOf(contract.table, row),
      fractionDigits: fractionDigits(row),
      keyPlace,
    });
  }
  for (const name of Object.keys(contract.columns)) {
    if (!rows.some((row) => row['name'] === name)) {
      throw new VerifyError(
        'NOT_COVERED',
        `${contract.table} has no column ${name}, which its contract names`,
      );
    }
  }
  const key = columns.filter((c) => c.keyPlace !== null).sort((a, b) => a.keyPlace! - b.keyPlace!);
  const keyColumns = rows.filter((row) => row['key_place'] !== null).length;
  if (key.length === 0 || key.length !== keyColumns) {
    throw new VerifyError('NOT_COVERED', `${contract.table} has no primary key, or a part of it is dropped`);
  }
  const subject = contract.subject;
  const subjectRow = subject && rows.find((row) => row['name'] === subject.key);
  if (subject && !subjectRow) {
    throw new VerifyError('NOT_COVERED', `${contract.table} has no column ${subject.key}, its subject`);
  }
  return {
    table: contract.table,
    columns,
    key,
    absent,
    ...(subject && subjectRow
      ? {
          subject: {
            type: subject.type,
            column: subject.key,
            kind: kindOf(contract.table, subjectRow),
            fractionDigits: fractionDigits(subjectRow),
          },
        }
      : {}),
  };
}

/** `schema.table`, quoted for SQL. */
export function qualifiedName(table: string): string {
  const dot = table.indexOf('.');
  return `${quoteName(table.slice(0, dot))}.${quoteName(table.slice(dot + 1))}`;
}

/** A timestamp's modifier is its precision; without one it has six digits. */
function fractionDigits(row: TextRow): number {
  const modifier = Number(row['modifier']);
  return modifier < 0 ? 6 : Math.min(modifier, 6);
}

function kindOf(table: string, row: TextRow): Kind {
  const kind = kindOfType(row['type']!, row['type_type']!);
  if (!kind) throw new VerifyError('NOT_COVERED', `no rule for ${table}.${row['name']}: type ${row['type']}`);
  return kind;
}
