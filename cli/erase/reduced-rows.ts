import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { RawRows } from '../../connectors/preview/raw-rows.ts';
import { readLookups } from '../../connectors/preview/source-lookups.ts';
import type { Catalog } from '../../connectors/postgres/catalog.ts';
import { printedRowsOf } from '../../connectors/postgres/subject-rows.ts';
import { ValueReader } from '../../connectors/postgres/value-reader.ts';
import { incomplete } from '../../erasure/incomplete.ts';
import { associatedData, ciphertextOverhead, encryptInto } from '../../keys/ciphertext.ts';
import { postgresOptions } from '../../pipeline/postgres-options.ts';
import { VersionClock } from '../../pipeline/version-clock.ts';
import { cleanAvroSchema } from '../../schemas/clean-schema.ts';
import type { Config } from '../../schemas/config.ts';
import { columnsRead, type Dataset } from '../../schemas/dataset.ts';
import { avroType } from '../../schemas/registry.ts';
import { formatVersion, zeroVersion } from '../../schemas/version.ts';
import type { Protection } from '../../transforms/protection.ts';
import { createTableTransform } from '../../transforms/table-transform.ts';

/** A row of which only some columns are left. */
export interface ReducedRow {
  /** Key of the clean record that the row has had. */
  readonly key: string;
  /** Values of the columns that are left, as Avro's decoder gives them. */
  readonly values: ReadonlyMap<string, unknown>;
}

const batchRows = 500;

/**
 * A person's rows of a table as the source has them, through the engine, with these columns alone; those that the contract withholds are
 * left out. ERASURE_INCOMPLETE for rows that the engine cannot treat: nothing may be lost that is to be kept.
 */
export async function* reducedRows(
  config: Config,
  client: ClientBase,
  { dataset, catalog }: { readonly dataset: Dataset; readonly catalog: Catalog },
  subjectId: string,
  kept: readonly string[],
  protection: Protection,
): AsyncGenerator<readonly ReducedRow[], void> {
  const { contract, key: keyColumns } = dataset;
  const table = catalog.tables.get(dataset.table)!;
  const names = new Set([...kept, ...keyColumns.map(({ name }) => name)]);
  const needed = new Set([...names, ...columnsRead(contract)]);
  const reduced: Dataset = {
    ...dataset,
    columns: dataset.columns.filter(({ name }) => names.has(name)),
    facts: [],
  };
  const columns = table.columns.filter(({ name }) => dataset.published.includes(name) && needed.has(name));
  const raw = new RawRows(columns, table.primaryKey);
  const encode = raw.encoder();
  const resolver = new ValueReader(postgresOptions(config.postgres), [reduced]);
  const type = avroType(cleanAvroSchema(reduced));
  const parked = { version: formatVersion(zeroVersion), expired: true };
  try {
    for await (const rows of printedRowsOf(client, dataset, subjectId, { columns, catalog, batchRows })) {
      const lookups = await readLookups(
        config.postgres,
        contract,
        catalog,
        rows,
        columns.map(({ name }) => name),
      );
      const transform = createTableTransform({
        dataset: reduced,
        cleanSchemaId: 0,
        writerSchema: async (id) => raw.writerSchema(id),
        protection,
        cipher: { overhead: ciphertextOverhead, encryptInto, associatedData },
        // A row that is read whole has no placeholder: no value of it may look like one.
        placeholder: randomUUID(),
        resolver,
        lookups,
      });
      const records = rows.map((row) => ({ ...encode(row), parked }));
      const outcomes = await transform.transform(records, VersionClock.from(undefined));
      const failed = outcomes.filter(({ kind }) => kind === 'failed');
      if (failed.length > 0) {
        throw incomplete(
          `rows of ${dataset.table} that have to be kept and cannot be treated`,
          failed.length,
        );
      }
      yield outcomes.flatMap((outcome): ReducedRow[] => {
        if (outcome.kind !== 'clean' || outcome.value === null) return [];
        const record = type.fromBuffer(outcome.value.subarray(5)) as Record<string, unknown>;
        return [{ key: outcome.key, values: new Map(kept.map((name) => [name, record[name] ?? null])) }];
      });
    }
  } finally {
    await resolver.close();
  }
}
