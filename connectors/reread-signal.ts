import { createHash, randomUUID } from 'node:crypto';
import type { OutputRecord } from '../pipeline/transactional-producer.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset, DatasetColumn } from '../schemas/dataset.ts';
import type { Hop } from '../schemas/lookup-path.ts';
import type { Follower } from '../schemas/lookups.ts';
import { rawPrefix, signalTopic } from '../schemas/names.ts';
import { quoteName, quoteTable } from './postgres/quote.ts';

/**
 * Makes signals to Debezium that have the rows read again which depend on rows of `table` with certain keys
 * (https://debezium.io/documentation/reference/stable/configuration/signalling.html#debezium-signaling-incremental-snapshots):
 * an incremental snapshot of the dependent table, restricted to them.
 */
export function rereadSignals(
  config: Config,
  datasets: readonly Dataset[],
  table: string,
): (follower: Follower, keys: readonly string[]) => OutputRecord {
  const keyOf = (name: string): DatasetColumn => datasets.find((d) => d.table === name)!.key[0]!;
  return (follower, keys) => ({
    topic: signalTopic(config),
    // Debezium heeds signals with the prefix of its topics as their key.
    key: rawPrefix(config),
    value: Buffer.from(
      JSON.stringify({
        id: randomUUID(),
        type: snapshotSignal,
        data: snapshotOf(
          follower.table,
          filterOf(follower.column, follower.through, keys, keyOf(table), keyOf),
        ),
      }),
    ),
    headers: {},
  });
}

export const snapshotSignal = 'execute-snapshot';

/** What a signal asks for: the rows of a table for which the condition holds, beside the stream. */
export function snapshotOf(table: string, filter: string): object {
  return {
    'data-collections': [table],
    type: 'incremental',
    'additional-conditions': [{ 'data-collection': table, filter }],
  };
}

/** The condition on the dependent rows: their column, or what it leads to, is one of the keys. */
function filterOf(
  column: string,
  through: readonly Hop[],
  keys: readonly string[],
  key: DatasetColumn,
  keyOf: (table: string) => DatasetColumn,
): string {
  const [hop, ...rest] = through;
  if (!hop) return oneOf(quoteName(column), keys, key);
  const within = filterOf(hop.column, rest, keys, key, keyOf);
  const name = quoteName(keyOf(hop.table).name);
  return `${quoteName(column)} IN (SELECT ${name} FROM ${quoteTable(hop.table)} WHERE ${within})`;
}

/**
 * Signals lie in Kafka for a while, and Connect logs them. So a key that does not go out in the clear is not named here either: a
 * digest is compared, with a salt of its own, at the price of a walk through the table.
 */
function oneOf(column: string, keys: readonly string[], key: DatasetColumn): string {
  if (key.rule.action === 'keep') return `${column} IN (${keys.map(literal).join(', ')})`;
  const salt = randomUUID();
  const digests = keys.map((text) => createHash('sha256').update(`${salt}${text}`).digest('hex'));
  const digest = `encode(sha256(convert_to('${salt}' || ${column}::text, 'UTF8')), 'hex')`;
  return `${digest} IN (${digests.map(literal).join(', ')})`;
}

/** A text as SQL's literal, whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}
