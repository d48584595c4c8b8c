import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import type { TextRow } from '../postgres.ts';
import { VerifyError } from '../verify-error.ts';
import { joinColumn } from './joined-column.ts';
import { type Kind, kindOfType } from './kind.ts';
import { columnsOf, type Query } from './table-columns.ts';

/** A column that must stand in every place, and how. */
export interface ColumnCheck {
  readonly name: string;
  readonly kind: Kind;
  readonly rule: ColumnRule;
  /** Digits of a second's fraction that the column is declared with. */
  readonly fractionDigits: number;
  /** Of the primary key, so that what it is made with belongs to no subject. */
  readonly isKey: boolean;
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
    /** As it is written in a query in which the table is `t`. */
    readonly sql: string;
    readonly kind: Kind;
    readonly fractionDigits: number;
  };
  /** Where the consent lies at the end of a path, as it is written in the query. */
  readonly consentSql?: string;
  /** What the two need joined. */
  readonly joins: string;
}

/** Does comparing need the key store: for its keys, or to know who was forgotten? */
export function usesKeys({ columns, subject }: Pick<Contract, 'columns' | 'subject'>): boolean {
  if (subject) return true;
  return Object.values(columns).some((rule) =>
    (rule.action === 'paths' ? Object.values(rule.paths) : [rule]).some(({ action }) =>
      ['encrypt', 'hash', 'tokenise', 'format-preserving'].includes(action),
    ),
  );
}

/** Reads the table's columns and lays the contract over them. */
export async function readTableCheck(query: Query, contract: Contract): Promise<TableCheck> {
  const rows = await columnsOf(query, contract.table);
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
      isKey: keyPlace !== null,
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
  const { subject, consent } = contract;
  const path = subject && ('key' in subject ? [subject.key] : subject.path);
  const whose = path && (await joinColumn(query, contract.table, path, 's'));
  const agreed =
    consent && 'path' in consent ? await joinColumn(query, contract.table, consent.path, 'a') : undefined;
  return {
    table: contract.table,
    columns,
    key,
    absent,
    joins: `${whose?.joins ?? ''}${agreed?.joins ?? ''}`,
    ...(agreed ? { consentSql: agreed.sql } : {}),
    ...(subject && whose
      ? {
          subject: {
            type: subject.type,
            sql: whose.sql,
            kind: kindOf(contract.table, whose.row),
            fractionDigits: fractionDigits(whose.row),
          },
        }
      : {}),
  };
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
