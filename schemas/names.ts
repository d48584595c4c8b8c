import { createHash } from 'node:crypto';
import { tableParts } from './contract.ts';
import type { Config } from './config.ts';

/**
 * Every name outside Postgres, from (pipeline, table), in one place.
 *
 * Injective: two tables never share a topic, an index or a table. `encode` leaves [a-z0-9] and single
 * inner underscores as they are and writes every other character as `-hh-` (UTF-8, hex), so that an encoded
 * part never holds `__` nor a leading or trailing underscore, and `__` can part schema from table.
 */
export function encodePart(part: string): string {
  let out = '';
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!;
    const innerUnderscore = c === '_' && isPlain(part[i - 1]) && isPlain(part[i + 1]);
    out += isPlain(c) || innerUnderscore ? c : `-${Buffer.from(c, 'utf8').toString('hex')}-`;
  }
  return out;
}

function isPlain(c: string | undefined): boolean {
  return c !== undefined && /^[a-z0-9]$/.test(c);
}

/** `public.order_items` -> `order_items`, `sales.orders` -> `sales__orders`. */
export function datasetName(table: string): string {
  const { schema, table: bare } = tableParts(table);
  return schema === 'public' ? encodePart(bare) : `${encodePart(schema)}__${encodePart(bare)}`;
}

type Named = Pick<Config, 'name' | 'topics'>;

/** Debezium's own rule (prefix.schema.table); contracts allow only names that it leaves unchanged. */
export const rawTopic = (config: Named, table: string): string => `${config.topics.prefix}raw.${table}`;
export const rawPrefix = (config: Named): string => `${config.topics.prefix}raw`;
const derivedTopic = (config: Named, kind: string, table: string): string => {
  const { schema, table: bare } = tableParts(table);
  return `${config.topics.prefix}${kind}.${encodePart(schema)}.${encodePart(bare)}`;
};
export const cleanTopic = (config: Named, table: string): string => derivedTopic(config, 'clean', table);
export const deadLetterTopic = (config: Named, table: string): string =>
  derivedTopic(config, 'deadletter', table);
/** What paths look up in rows of the table, sealed. */
export const lookupTopic = (config: Named, table: string): string => derivedTopic(config, 'lookup', table);
/** Rows of the table that wait for those that their paths lead to, sealed. */
export const parkedTopic = (config: Named, table: string): string => derivedTopic(config, 'parked', table);
export const signalTopic = (config: Named): string => `${config.topics.prefix}signals.${config.name}`;
/** What the key store must not go behind. */
export const anchorTopic = (config: Named): string => `${config.topics.prefix}anchors.${config.name}`;
/** Who was erased or let in again: what a key store that is restored from a backup has to be told. */
export const ledgerTopic = (config: Named): string => `${config.topics.prefix}ledger.${config.name}`;
/** What recipients of persons' data are told of erasures. */
export const noticeTopic = (config: Named): string => `${config.topics.prefix}notices.${config.name}`;
/** Registry subject of a clean topic's value (TopicNameStrategy). */
export const cleanSubject = (config: Named, table: string): string => `${cleanTopic(config, table)}-value`;

export const publicationName = (config: Named): string => `lethe_${config.name}`;
export const slotName = (config: Named): string => `lethe_${config.name}`;
export const connectorName = (config: Named): string => `lethe-${config.name}`;
/** Lethe's own schema at the source, for heartbeat and signal tables. */
export const sourceSchema = 'lethe';
export const heartbeatTable = (config: Named): string => `${sourceSchema}.heartbeat_${config.name}`;
export const signalTable = (config: Named): string => `${sourceSchema}.signal_${config.name}`;
/** Which contract of each table was applied, and when: what runs under another one has to wait. */
export const contractsTable = (config: Named): string => `${sourceSchema}.contracts_${config.name}`;

export const transformGroup = (config: Named): string => `lethe-${config.name}-transform`;
export const sinkGroup = (config: Named, sink: string): string => `lethe-${config.name}-${sink}`;
/** One transactional id per input partition: initialising it fences whoever held the partition before. */
export const transactionalId = (config: Named, topic: string, partition: number): string =>
  `lethe-${config.name}-${topic}-${partition}`;
/** Of the empty transactions that close a topic's segments. No raw topic, and so no id of a partition, is named so. */
export const rollTransactionalId = (config: Named, topic: string): string =>
  `lethe-${config.name}-roll-${topic}`;

/** What readers of Elasticsearch use: an alias that hides deleted rows. */
export const indexAlias = (config: Named, table: string): string => `${config.name}-${datasetName(table)}`;
/** A dataset's name holds a hyphen only before two hex digits, so that no other alias or index has such an end. */
export const indexName = (config: Named, table: string, generation: number, copy = 1): string =>
  `${indexAlias(config, table)}-v${generation}${copy === 1 ? '' : `-${copy}`}`;
/** What the sink writes to: goes with its index, so that a write to one that is gone makes no index of guessed types. */
export const writeAlias = (config: Named, table: string, generation: number): string =>
  `${indexAlias(config, table)}-w${generation}`;
/** Of the table's index with this name; undefined for any other. A store that is rebuilt gets the next copy of its generation. */
export function indexNumbers(
  config: Named,
  table: string,
  index: string,
): { readonly generation: number; readonly copy: number } | undefined {
  const [, generation, copy] = /-v(\d+)(?:-(\d+))?$/.exec(index) ?? [];
  if (generation === undefined) return undefined;
  const numbers = { generation: Number(generation), copy: Number(copy ?? 1) };
  return indexName(config, table, numbers.generation, numbers.copy) === index ? numbers : undefined;
}
/** What stands for an index only while its store is rebuilt: for the one that is filled, and for the one that was replaced. */
export const copyAlias = (config: Named, table: string, role: 'next' | 'past' | 'kept'): string =>
  `${indexAlias(config, table)}-${role}`;
export const clickhouseDatabase = (config: Named & Pick<Config, 'clickhouse'>): string =>
  config.clickhouse?.database ?? config.name;
/** What readers of ClickHouse use: a view with FINAL that hides deleted rows. */
export const clickhouseView = (table: string): string => datasetName(table);
/** The ReplacingMergeTree behind the view; no dataset name starts with an underscore, and only the first has no number. */
export const clickhouseTable = (table: string, generation: number): string =>
  `_rows${generation === 1 ? '' : generation}_${datasetName(table)}`;
/** The same while the store is rebuilt: what is filled, or was just replaced; and what was replaced, until somebody confirms. */
export const clickhouseCopy = (table: string, role: 'next' | 'kept'): string =>
  `_${role}_${datasetName(table)}`;
/** Of the rows of this table; undefined for any other name. */
export const clickhouseGeneration = (table: string, name: string): number | undefined =>
  generationIn(name, (generation) => clickhouseTable(table, generation));

/** The number with which a name is made so. */
function generationIn(name: string, make: (generation: number) => string): number | undefined {
  const numbers = [1, ...[...name.matchAll(/\d+/g)].map(([digits]) => Number(digits))];
  return numbers.find((generation) => make(generation) === name);
}

/**
 * Debezium's stand-in for an unchanged TOAST value. Told from data by a digest of the pipeline's name: nobody
 * stores this by accident, and it is the same at every start.
 */
export const unavailablePlaceholder = (config: Named): string =>
  `__lethe_unavailable_${createHash('sha256').update(`lethe/unavailable/${config.name}`).digest('hex').slice(0, 24)}`;

/** How long a lookup topic remembers that a row is gone. */
export const lookupTombstoneMs = 7 * 24 * 3_600_000;

/** How long a segment of a raw topic stays open; purged bytes leave the disk with their segment. */
export const rawSegmentMs = 10_000;

/** The same of the topics of dead letters: those that are settled leave the disk with their segment. */
export const deadLetterSegmentMs = 1_000;
