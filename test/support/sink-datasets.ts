import type { CleanChange } from '../../pipeline/sink.ts';
import { makeCleanChange } from '../../pipeline/clean-change.ts';
import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import { type Dataset, deriveDataset } from '../../schemas/dataset.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import type { SourceColumn } from '../../schemas/source-table.ts';
import type { Version } from '../../schemas/version.ts';

/** A column of a test table: its Postgres type and what the contract does with it. */
export interface TestColumn {
  readonly name: string;
  readonly type: string;
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable?: boolean;
  readonly action?: ColumnRule;
}

/** A dataset by the real derivation, from a table that exists nowhere. `subject`: the column that says whose a row is. */
export function testDataset(
  table: string,
  key: readonly string[],
  columns: readonly TestColumn[],
  subject?: string,
): Dataset {
  const contract: Contract = {
    table,
    ...(subject === undefined ? {} : { subject: { type: 'customer', key: subject } }),
    owner: 'tests',
    tier: 1,
    sinks: ['elasticsearch', 'clickhouse'],
    staleness: '30s',
    columns: Object.fromEntries(
      columns.map((column) => [column.name, column.action ?? { classification: 'internal', action: 'keep' }]),
    ),
  };
  return deriveDataset(contract, {
    table,
    columns: columns.map((column) => sourceColumn(column, key)),
    primaryKey: key,
    replicaIdentity: 'default',
    relKind: 'r',
  });
}

function sourceColumn(column: TestColumn, key: readonly string[]): SourceColumn {
  return {
    name: column.name,
    typeName: column.type,
    typeKind: 'b',
    typeText: column.type,
    ...(column.precision === undefined ? {} : { precision: column.precision, scale: column.scale ?? 0 }),
    nullable: column.nullable ?? !key.includes(column.name),
    generated: false,
  };
}

/** A table with a column of every kind; `id` is its key. */
export function everyKind(table: string): Dataset {
  return testDataset(
    table,
    ['id'],
    [
      { name: 'id', type: 'int8' },
      { name: 'flag', type: 'bool' },
      { name: 'small', type: 'int4' },
      { name: 'big', type: 'int8' },
      { name: 'single', type: 'float4' },
      { name: 'real', type: 'float8' },
      { name: 'price', type: 'numeric', precision: 12, scale: 2 },
      { name: 'exact', type: 'numeric', precision: 38, scale: 10 },
      { name: 'widest', type: 'numeric', precision: 76, scale: 0 },
      { name: 'negative_scale', type: 'numeric', precision: 3, scale: -2 },
      { name: 'free', type: 'numeric' },
      { name: 'note', type: 'text' },
      { name: 'uid', type: 'uuid' },
      { name: 'day', type: 'date' },
      { name: 'clock', type: 'time' },
      { name: 'at', type: 'timestamp' },
      { name: 'at_zone', type: 'timestamptz' },
      { name: 'doc', type: 'jsonb' },
      { name: 'raw', type: 'bytea' },
      { name: 'tags', type: '_text' },
      { name: 'smalls', type: '_int4' },
      { name: 'bigs', type: '_int8' },
      { name: 'secret', type: 'text', action: { classification: 'person.contact', action: 'encrypt' } },
      { name: 'alias', type: 'text', action: { classification: 'person.id', action: 'hash' } },
      { name: 'Odd `name', type: 'text' },
      { name: 'must', type: 'int4', nullable: false },
    ],
  );
}

/** A source position: the change number `n` of transaction `tx`. The least that two commits are apart is 40 bytes. */
export function at(tx: number, n = 0): Version {
  const commit = 0x16_b374_d848n + BigInt(tx) * 40n;
  return { epoch: 1n, commit, lsn: commit + 8n + BigInt(n), seq: BigInt(n) };
}

/** A change of the row with this key; `row` null for a delete. */
export function change(
  dataset: Dataset,
  key: readonly string[],
  version: Version,
  row: Readonly<Record<string, unknown>> | null,
): CleanChange {
  return makeCleanChange({
    table: dataset.table,
    key: encodeRecordKey(key),
    version,
    row,
    eventId: `e${version.lsn.toString(16).padStart(31, '0')}`,
    traceId: `f${version.commit.toString(16).padStart(31, '0')}`,
    commitMs: 1_767_225_600_123,
    contract: dataset.digest,
  });
}
