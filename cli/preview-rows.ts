import { randomUUID } from 'node:crypto';
import type avsc from 'avsc';
import { RawRows } from '../connectors/preview/raw-rows.ts';
import { readLookups } from '../connectors/preview/source-lookups.ts';
import { readSourceRows, type SourceRow } from '../connectors/preview/source-rows.ts';
import { ValueReader } from '../connectors/postgres/value-reader.ts';
import { associatedData, ciphertextOverhead, encryptInto } from '../keys/ciphertext.ts';
import { postgresOptions } from '../pipeline/postgres-options.ts';
import type { Outcome, RawRecord } from '../pipeline/transform.ts';
import { VersionClock } from '../pipeline/version-clock.ts';
import { cleanAvroSchema } from '../schemas/clean-schema.ts';
import { type ErrorCode, LetheError } from '../schemas/errors.ts';
import { avroType } from '../schemas/registry.ts';
import { formatVersion, zeroVersion } from '../schemas/version.ts';
import { createTableTransform } from '../transforms/table-transform.ts';
import { cleanValue } from './clean-value.ts';
import { previewKeys } from './preview-keys.ts';
import type { PreviewSource } from './preview-source.ts';

/** A row that would become a dead letter. */
export interface FailedRow {
  readonly failed: ErrorCode;
  readonly reason: string;
}

/** What consumers would get of one row: JSON text of each value by column; or nothing, since the contract withholds it. */
export type PreviewedRow =
  | { readonly values: ReadonlyMap<string, string> }
  | FailedRow
  | { readonly withheld: true };

export interface PreviewedRows {
  readonly rows: readonly PreviewedRow[];
  readonly notes: readonly string[];
}

/** The first rows of the table under its contract, through the engine. Reads the source and the key store, and writes nothing. */
export async function previewRows(source: PreviewSource, limit: number): Promise<PreviewedRows> {
  const { config, table, dataset, catalog, contract } = source;
  const columns = table.columns.filter(({ name }) => dataset.published.includes(name));
  const rows = await readSourceRows(config.postgres, table.table, columns, table.primaryKey, limit);
  const names = columns.map(({ name }) => name);
  const lookups = await readLookups(config.postgres, contract, catalog, rows, names);
  const raw = new RawRows(columns, table.primaryKey);
  const keys = await previewKeys(config, dataset);
  const resolver = new ValueReader({ ...postgresOptions(config.postgres), ...patience }, [dataset]);
  try {
    const transform = createTableTransform({
      dataset,
      cleanSchemaId: 0,
      writerSchema: async (id) => raw.writerSchema(id),
      protection: keys.protection,
      cipher: { overhead: ciphertextOverhead, encryptInto, associatedData },
      // A row that is read whole has no placeholder: no value of it may look like one.
      placeholder: randomUUID(),
      resolver,
      lookups,
    });
    const records = rows.map(encodedBy(raw.encoder()));
    // A row that a path does not lead to now would not come in time.
    const parked = { version: formatVersion(zeroVersion), expired: true };
    const sound = records.filter((record) => 'offset' in record).map((record) => ({ ...record, parked }));
    const outcomes = (await transform.transform(sound, VersionClock.from(undefined))).values();
    const type = avroType(cleanAvroSchema(dataset));
    const note = keys.note();
    return {
      rows: records.map((record) =>
        'failed' in record ? record : previewed(outcomes.next().value!, source, type),
      ),
      notes: [
        ...(note === undefined ? [] : [note]),
        ...(rows.length === 0 ? ['the table holds no row'] : []),
      ],
    };
  } finally {
    await resolver.close();
    await keys.close();
  }
}

/** As the rows are read: the application's locks are not waited for. */
const patience = { lock_timeout: 2_000, statement_timeout: 30_000 };

function encodedBy(encode: (row: SourceRow) => RawRecord): (row: SourceRow) => RawRecord | FailedRow {
  return (row) => {
    try {
      return encode(row);
    } catch (error) {
      if (error instanceof LetheError) return { failed: error.code, reason: error.message };
      throw error;
    }
  };
}

function previewed(outcome: Outcome, { dataset }: PreviewSource, type: avsc.Type): PreviewedRow {
  if (outcome.kind === 'failed') return { failed: outcome.code, reason: outcome.reason };
  if (outcome.kind !== 'clean' || outcome.value === null) return { withheld: true };
  const record = type.fromBuffer(outcome.value.subarray(5)) as Record<string, unknown>;
  return {
    values: new Map(dataset.columns.map((column) => [column.name, cleanValue(column, record[column.name])])),
  };
}
