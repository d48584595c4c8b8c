import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { signalTable } from '../schemas/names.ts';
import type { SourceTable } from '../schemas/source-table.ts';
import { keepParametersOutOfLog } from './postgres/quiet-log.ts';
import { quoteName, quoteTable } from './postgres/quote.ts';
import { literal, snapshotOf, snapshotSignal } from './reread-signal.ts';

/** A table and what its rows are known by. */
export interface KeyedTable {
  readonly table: string;
  readonly key: readonly KeyColumn[];
}

interface KeyColumn {
  readonly name: string;
  /** As SQL writes its type. */
  readonly type: string;
  /** Whether the contract lets it out as it is. */
  readonly clear: boolean;
}

/** What the source says of a key. */
export interface SoughtRow {
  /** Canonical texts in key order. */
  readonly key: readonly string[];
  readonly present: boolean;
  /** Salted digests of its columns' values, as {@link digestSql} makes them. */
  readonly digests: readonly string[];
}

export interface Look {
  readonly salt: string;
  /** When the source looked, by its own clock, ms since the epoch. */
  readonly lookedMs: number;
  readonly rows: readonly SoughtRow[];
}

/** What a signal's row holds at most, in characters; see source-tables.ts. */
const signalMaxLength = 8_192;
/** A longer key is compared by its digest, so that some of them fit one signal. */
const longestClearKey = 64;

export function keyedTable({ table, key }: Dataset, { columns }: SourceTable): KeyedTable {
  return {
    table,
    key: key.map(({ name, rule }) => ({
      name,
      type: columns.find((column) => column.name === name)!.typeText,
      clear: rule.action === 'keep',
    })),
  };
}

/**
 * Which rows with these keys there are at the source, of those that `only` holds of: SQL, the row's alias is t. A key that its column's type
 * does not take fails the query.
 */
export async function lookForRows(
  client: ClientBase,
  keyed: KeyedTable,
  keys: readonly (readonly string[])[],
  only = 'true',
): Promise<Look> {
  const salt = randomUUID();
  const places = keyed.key.map((_, i) => `k${i}`);
  const types = keyed.key.map(({ type }, i) => `k${i} ${type}`).join(', ');
  const same = keyed.key.map(({ name }, i) => `t.${quoteName(name)} = r.k${i}`).join(' and ');
  const digests = keyed.key.map(({ type }, i) => `${digestSql(salt, `r.k${i}`, type)} as d${i}`).join(', ');
  const { rows } = await withoutParametersInLog<Record<string, unknown>>(
    client,
    `select r.place, t.${quoteName(keyed.key[0]!.name)} is not null as present, ${digests},
            (extract(epoch from clock_timestamp()) * 1000)::bigint::text as looked
       from jsonb_to_recordset($1::jsonb) as r(place int, ${types})
       left join ${quoteTable(keyed.table)} t on ${same} and ${only}
      order by r.place`,
    [
      JSON.stringify(
        keys.map((key, place) => ({ place, ...Object.fromEntries(key.map((text, i) => [`k${i}`, text])) })),
      ),
    ],
  );
  return {
    salt,
    lookedMs: Number(rows[0]?.['looked'] ?? 0),
    rows: rows.map((row) => ({
      key: keys[row['place'] as number]!,
      present: row['present'] === true,
      digests: places.map((_, i) => String(row[`d${i}`])),
    })),
  };
}

/** A key may be the person's id. */
async function withoutParametersInLog<R extends object>(
  client: ClientBase,
  text: string,
  values: readonly unknown[],
): Promise<{ rows: R[] }> {
  await client.query('begin read only');
  try {
    await client.query(keepParametersOutOfLog);
    return await client.query<R>(text, [...values]);
  } finally {
    await client.query('rollback');
  }
}

/**
 * Asks Debezium to read these rows again, beside the stream. The signal stands in the WAL: it is heeded whenever the connector
 * comes to it. Its row in the signal table goes in the same transaction, since it may name keys.
 */
export async function requestRows(
  client: ClientBase,
  config: Config,
  keyed: KeyedTable,
  look: Look,
): Promise<void> {
  for (const data of signalsFor(keyed, look)) {
    const id = `lethe-retry-${randomUUID()}`;
    await client.query('begin');
    await client.query(keepParametersOutOfLog);
    await client.query(`insert into ${signalTable(config)} (id, type, data) values ($1, $2, $3)`, [
      id,
      snapshotSignal,
      data,
    ]);
    await client.query(`delete from ${signalTable(config)} where id = $1`, [id]);
    await client.query('commit');
  }
}

/** The signals that ask for these rows, as JSON; each as long as a signal may be. */
export function signalsFor(keyed: KeyedTable, { salt, rows }: Pick<Look, 'salt' | 'rows'>): string[] {
  const whole = JSON.stringify(snapshotOf(keyed.table, filterOf(keyed, salt, rows)));
  if (whole.length <= signalMaxLength || rows.length <= 1) return [whole];
  const half = Math.ceil(rows.length / 2);
  return [rows.slice(0, half), rows.slice(half)].flatMap((part) => signalsFor(keyed, { salt, rows: part }));
}

/**
 * Connect logs signals, and the connector writes them to a topic. So a column of the key that does not go out in the clear is not named
 * here either: a salted digest is compared, at the price of a walk through the table.
 */
function filterOf(keyed: KeyedTable, salt: string, rows: readonly SoughtRow[]): string {
  const named = keyed.key.map(
    ({ clear }, i) => clear && rows.every(({ key }) => key[i]!.length <= longestClearKey),
  );
  const columns = keyed.key.map(({ name, type }, i) =>
    named[i] ? quoteName(name) : digestSql(salt, quoteName(name), type),
  );
  const values = rows.map(({ key, digests }) =>
    tuple(keyed.key.map((_, i) => literal(named[i] ? key[i]! : digests[i]!))),
  );
  return `${tuple(columns)} IN (${values.join(', ')})`;
}

function tuple(parts: readonly string[]): string {
  return parts.length === 1 ? parts[0]! : `(${parts.join(', ')})`;
}

/** The same text in every session: what a session's settings would change is taken as a number. */
function digestSql(salt: string, value: string, type: string): string {
  const text = /^(?:date|timestamp)/.test(type) ? `extract(epoch from ${value})::text` : `${value}::text`;
  return `encode(sha256(convert_to('${salt}' || ${text}, 'UTF8')), 'hex')`;
}
