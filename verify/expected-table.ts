import { hash } from 'node:crypto';
import type { Contract } from '../schemas/contract.ts';
import type { KeyRing } from './key-ring.ts';
import { type PostgresOptions, quoteName, type TextRow, withSnapshot } from './postgres.ts';
import { isArray } from './rules/kind.ts';
import { compileProtect, type Protect, type Roots } from './rules/protect-column.ts';
import { recordKeyOf } from './rules/record-key.ts';
import { canonicalText } from './rules/source-text.ts';
import { readTableCheck, type TableCheck, usesKeys } from './rules/table-check.ts';
import { qualifiedName } from './rules/table-columns.ts';
import { VerifyError } from './verify-error.ts';

/** A row as it must stand in every place. */
export interface ExpectedRow {
  /** One digest of the normal form after another, in the order of the columns; zeros for null. */
  readonly digests: Buffer;
  /** Canonical text of the subject. */
  readonly subject: string | null;
  /** The source's key as Postgres prints it, in key order; kept only where it was asked for. */
  readonly sourceKey?: readonly string[];
}

/** A part of a table. */
export interface TablePart {
  /** Rows whose canonical keys fulfil it; the others are not kept. */
  readonly holds?: (key: string) => boolean;
  /** Rows with these keys of the source, as Postgres prints them. */
  readonly sourceKeys?: readonly (readonly string[])[];
  /** Keep each row's key of the source. */
  readonly keepSourceKeys?: true;
}

export interface ExpectedTable {
  readonly check: TableCheck;
  /** Canonical key -> row. */
  readonly rows: ReadonlyMap<string, ExpectedRow>;
}

export const digestBytes = 16;
const nullDigest = Buffer.alloc(digestBytes);
const fetchRows = 5_000;

/** 128 bits of SHA-256 stand for a value, so that a million rows fit in memory; equal digests are equal values. */
export function normalDigest(normal: string | null): Buffer {
  return normal === null ? nullDigest : hash('sha256', normal, 'buffer').subarray(0, digestBytes);
}

/** Reads every row of the table, or of a part of it, in one snapshot and applies the contract to it. */
export async function readExpectedTable(
  source: PostgresOptions,
  contract: Contract,
  keys: () => Promise<KeyRing>,
  part: TablePart = {},
): Promise<ExpectedTable> {
  const rows = new Map<string, ExpectedRow>();
  const check = await eachExpectedRow(source, contract, keys, part, (key, row) => rows.set(key, row));
  return { check, rows };
}

/** The same row by row, none of which is kept. */
export async function eachExpectedRow(
  source: PostgresOptions,
  contract: Contract,
  keys: () => Promise<KeyRing>,
  part: TablePart,
  take: (key: string, row: ExpectedRow, check: TableCheck) => void,
): Promise<TableCheck> {
  return withSnapshot(source, 'the source', async (query) => {
    const check = await readTableCheck(query, contract);
    const ring = usesKeys(contract) ? await keys() : undefined;
    const { subject } = check;
    const protector = new Protector(check, contract, {
      shared: () => ring!.sharedRoot,
      own: subject && ((id) => ring!.lastingRoot(subject.type, id)),
    });
    await query(`DECLARE expected NO SCROLL CURSOR FOR ${selectOf(check, contract, part)}`);
    for (;;) {
      const page = await query(`FETCH ${fetchRows} FROM expected`);
      for (const row of page) {
        const key = protector.keyOf(row);
        if (part.holds && !part.holds(key)) continue;
        const whose = protector.subjectOf(row);
        if (subject && whose !== null && ring!.isForgotten(subject.type, whose)) continue;
        const expected = protector.expect(row, whose);
        take(
          key,
          part.keepSourceKeys ? { ...expected, sourceKey: protector.sourceKeyOf(row) } : expected,
          check,
        );
      }
      if (page.length < fetchRows) return check;
    }
  });
}

/** Columns under plain aliases (`c0`, `c1`, …): no name of the table can collide with the subject's. */
function selectOf(check: TableCheck, contract: Contract, part: TablePart): string {
  const columns = check.columns.map((column, i) => {
    const name = `t.${quoteName(column.name)}`;
    if (isArray(column.kind)) return `array_to_json(${name}) AS c${i}`;
    return `${column.kind === 'json' ? `to_json(${name})` : name} AS c${i}`;
  });
  columns.push(...nameColumns(contract).map((name, i) => `t.${quoteName(name)} AS n${i}`));
  if (check.subject) columns.push(`${check.subject.sql} AS subject`);
  const from = `${qualifiedName(check.table)} t${check.joins}`;
  const conditions = [...conditionsOf(check, contract), ...keysOf(check, part)];
  return `SELECT ${columns.join(', ')} FROM ${from}${conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`}`;
}

/** Columns that a rule names as holding names. */
function nameColumns({ columns }: Contract): string[] {
  const rules = Object.values(columns).flatMap((rule) =>
    rule.action === 'paths' ? Object.values(rule.paths) : [rule],
  );
  return [...new Set(rules.flatMap((rule) => (rule.action === 'redact' ? (rule.names ?? []) : [])))];
}

/** Conditions in SQL's own logic, where null is neither in a list nor outside of one. */
function conditionsOf(check: TableCheck, { where = [], consent }: Contract): string[] {
  const list = (values: readonly (string | number | boolean)[]) => values.map(literal).join(', ');
  const conditions = where.map((rule) => {
    const text = `t.${quoteName(rule.column)}::text`;
    if ('is' in rule) return `${text} IS ${rule.is === 'empty' ? '' : 'NOT '}NULL`;
    return 'in' in rule ? `${text} IN (${list(rule.in)})` : `${text} NOT IN (${list(rule.notIn)})`;
  });
  if (consent) {
    const column = 'column' in consent ? `t.${quoteName(consent.column)}` : check.consentSql!;
    conditions.push(`${column}::text IN (${list(consent.granted)})`);
  }
  return conditions;
}

/** Untyped literals take the columns' types, so that the key's index is used. */
function keysOf(check: TableCheck, { sourceKeys }: TablePart): string[] {
  if (!sourceKeys) return [];
  if (sourceKeys.length === 0) return ['false'];
  const columns = check.key.map(({ name }) => `t.${quoteName(name)}`).join(', ');
  return [`(${columns}) IN (${sourceKeys.map((key) => `(${key.map(literal).join(', ')})`).join(', ')})`];
}

function literal(value: string | number | boolean): string {
  return `'${String(value).replaceAll("'", "''")}'`;
}

class Protector {
  readonly #check: TableCheck;
  readonly #protect: readonly Protect[];
  readonly #names: readonly string[];
  readonly #keyPlaces: readonly number[];

  constructor(check: TableCheck, contract: Contract, roots: Roots) {
    this.#check = check;
    this.#names = nameColumns(contract).map((_, i) => `n${i}`);
    this.#protect = check.columns.map((column) => compileProtect(check.table, column, roots));
    this.#keyPlaces = check.key.map((column) => check.columns.findIndex((c) => c.name === column.name));
  }

  keyOf(row: TextRow): string {
    return recordKeyOf(
      this.#keyPlaces.map((place) => {
        const column = this.#check.columns[place]!;
        const text = row[`c${place}`] ?? null;
        if (text === null) throw new VerifyError('DATA_MALFORMED', `a key of ${this.#check.table} is null`);
        switch (column.rule.action) {
          case 'keep':
            return canonicalText(column.kind, text, column.fractionDigits);
          case 'hash':
          case 'tokenise':
          case 'format-preserving':
            return this.#protect[place]!(text, { names: [], subject: null });
          default:
            throw new VerifyError(
              'NOT_COVERED',
              `${this.#check.table}.${column.name} is a key under ${column.rule.action}`,
            );
        }
      }),
    );
  }

  sourceKeyOf(row: TextRow): string[] {
    return this.#keyPlaces.map((place) => row[`c${place}`]!);
  }

  expect(row: TextRow, subject: string | null): ExpectedRow {
    const digests = Buffer.alloc(this.#check.columns.length * digestBytes);
    const facts = { names: this.#names.flatMap((name) => row[name] ?? []), subject };
    for (const [place, column] of this.#check.columns.entries()) {
      const text = row[`c${place}`] ?? null;
      const normal =
        text === null || column.rule.action === 'null' ? null : this.#protect[place]!(text, facts);
      normalDigest(normal).copy(digests, place * digestBytes);
    }
    return { digests, subject: facts.subject };
  }

  subjectOf(row: TextRow): string | null {
    const { subject } = this.#check;
    const text = row['subject'] ?? null;
    return subject && text !== null ? canonicalText(subject.kind, text, subject.fractionDigits) : null;
  }
}
