import type { Config } from '../schemas/config.ts';
import type { Contract } from '../schemas/contract.ts';
import { cleanTopic, clickhouseDatabase, clickhouseView, indexAlias } from '../schemas/names.ts';
import { readExpectedTable } from './expected-table.ts';
import { KafkaCluster } from './kafka/cluster.ts';
import type { EpochOpener } from './epoch-opener.ts';
import { KeyRing } from './key-ring.ts';
import { NonceLedger } from './nonce-ledger.ts';
import { PlaceComparison, type PlaceContext, type PlaceResult } from './place-comparison.ts';
import { avroForm, cleanTopicRows } from './readers/clean-topic.ts';
import { clickhouseForm, viewRows } from './readers/clickhouse-rows.ts';
import { aliasRows, documentForm } from './readers/elasticsearch-documents.ts';
import type { PlaceForm, PlaceRow } from './readers/place-row.ts';
import { readRetainedKeys } from './retained-keys.ts';
import { WireDecoder } from './readers/schema-registry.ts';
import { type TableCheck, usesKeys } from './rules/table-check.ts';
import { VerifyError } from './verify-error.ts';

/** A table compared with each of the places its rows must stand in. */
export interface TableComparison {
  readonly table: string;
  /** Rows at the source. */
  readonly rows: number;
  readonly places: readonly PlaceResult[];
}

type StoreName = Contract['sinks'][number];

/** A part of what a store has, by canonical keys. */
export interface StorePart {
  readonly keys?: readonly string[];
  readonly holds?: (key: string) => boolean;
  /** Changes flow while it is read. */
  readonly moves?: true;
}

export interface CompareOptions {
  /** Called before each table, for progress. */
  readonly onTable?: (table: string) => void;
  /** Asks the master keys, where they are in no file. */
  readonly openEpoch?: EpochOpener;
}

/** What several tables of a pipeline share while they are compared. */
export interface CompareSession {
  readonly cluster: KafkaCluster;
  readonly decoder: WireDecoder;
  readonly ledger: NonceLedger;
  /** The key store, read when a column first needs it. */
  readonly keys: () => Promise<KeyRing>;
}

/**
 * Compares every table with the clean topic and each of its sinks, as they stand: the pipeline must be at rest, with
 * both sinks past the last change.
 */
export async function comparePipeline(
  config: Config,
  contracts: readonly Contract[],
  options: CompareOptions = {},
): Promise<TableComparison[]> {
  const session = openCompareSession(config, options.openEpoch);
  const comparisons: TableComparison[] = [];
  try {
    for (const contract of contracts) {
      options.onTable?.(contract.table);
      comparisons.push(await compareTable(config, contract, session));
    }
    return comparisons;
  } finally {
    await session.cluster.close();
  }
}

export function openCompareSession(config: Config, open?: EpochOpener): CompareSession {
  let ring: Promise<KeyRing> | undefined;
  return {
    cluster: new KafkaCluster(config.kafka),
    decoder: new WireDecoder(config.registry),
    ledger: new NonceLedger(),
    keys: () => (ring ??= KeyRing.read(config, open)),
  };
}

/** Compares one table; see {@link comparePipeline}. */
export async function compareTable(
  config: Config,
  contract: Contract,
  session: CompareSession,
): Promise<TableComparison> {
  const expected = await readExpectedTable(config.postgres, contract, session.keys);
  const context: PlaceContext = {
    retained: await readRetainedKeys(config, contract),
    expected,
    keys: usesKeys(contract) ? await session.keys() : undefined,
    ledger: session.ledger,
  };
  const places = [await compareTopic(config, contract, session, context)];
  for (const sink of contract.sinks) places.push(await compareStore(config, sink, context));
  return { table: contract.table, rows: expected.rows.size, places };
}

/** Compares what is expected of a table, or of a part of it, with what readers of a store see. */
export async function compareStore(
  config: Config,
  sink: StoreName,
  context: PlaceContext,
  part: StorePart = {},
): Promise<PlaceResult> {
  const { check } = context.expected;
  const comparison = new PlaceComparison(storeForms[sink], context);
  for await (const row of storeRows(config, sink, check, part)) {
    if (part.holds?.(row.key) ?? true) comparison.take(row);
  }
  return comparison.finish();
}

export const storeForms: Readonly<Record<StoreName, PlaceForm>> = {
  elasticsearch: documentForm,
  clickhouse: clickhouseForm,
};

/** What readers of a store see of a table, or its rows with these keys. */
export function storeRows(
  config: Config,
  sink: StoreName,
  check: TableCheck,
  { keys, moves = false }: Pick<StorePart, 'keys'> & { readonly moves?: boolean },
): AsyncGenerator<PlaceRow> {
  if (sink === 'elasticsearch') {
    return aliasRows(needed(config.elasticsearch, sink), indexAlias(config, check.table), keys);
  }
  const view = clickhouseView(check.table);
  return viewRows(needed(config.clickhouse, sink), clickhouseDatabase(config), view, check, {
    ...(keys ? { keys } : {}),
    moves,
  });
}

async function compareTopic(
  config: Config,
  contract: Contract,
  session: CompareSession,
  context: PlaceContext,
): Promise<PlaceResult> {
  const comparison = new PlaceComparison(avroForm, context);
  const topic = cleanTopic(config, contract.table);
  const rows = cleanTopicRows(session.cluster, session.decoder, topic, (row) =>
    comparison.takeSuperseded(row),
  );
  for await (const row of rows) comparison.take(row);
  return comparison.finish();
}

/** Is every row of every table in every place as it must be? */
export function allEqual(comparisons: readonly TableComparison[]): boolean {
  return comparisons.every(({ places }) =>
    places.every(
      ({ counts, columns }) => counts.equal === counts.source && counts.extra === 0 && columns.size === 0,
    ),
  );
}

function needed<T>(endpoint: T | undefined, name: string): T {
  if (!endpoint) throw new VerifyError('NOT_COVERED', `a contract names ${name}, which lethe.yaml does not`);
  return endpoint;
}
