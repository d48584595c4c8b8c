import type { RawRecord } from '../pipeline/transform.ts';
import type { AvroSchema } from '../schemas/clean-schema.ts';
import type { ColumnRule } from '../schemas/column-rule.ts';
import { deriveDataset, type Dataset } from '../schemas/dataset.ts';
import { avroType } from '../schemas/registry.ts';

/** What is done to a fifth of the columns; the others are kept. */
export const contracts = ['drop-only', 'hash', 'encrypt'] as const;
export type ContractName = (typeof contracts)[number];

/** Ids of the writer schemas of values and of keys, and of the clean schema. */
export const schemaIds = { value: 1, key: 2, clean: 9 } as const;

interface Field {
  readonly name: string;
  readonly type: AvroSchema;
  readonly default?: unknown;
}

interface Column {
  readonly name: string;
  readonly typeName: string;
  readonly avro: 'boolean' | 'int' | 'long' | 'double' | 'string';
  readonly nullable: boolean;
  readonly value: (n: number) => unknown;
}

const text = (length: number) => (n: number) => `${n} `.padEnd(length, 'Coffee from Guji and Yirga Cheffe. ');
const micros = 1_772_000_000_000_000n;

/** Ten kinds of columns, over and over; every fifth, a text of a person, is what the contract acts upon. */
const cycle: readonly Omit<Column, 'name'>[] = [
  { typeName: 'int8', avro: 'long', nullable: false, value: (n) => BigInt(n) * 7_919n },
  { typeName: 'int4', avro: 'int', nullable: false, value: (n) => n },
  { typeName: 'text', avro: 'string', nullable: false, value: (n) => `customer.${n}@mail.example` },
  { typeName: 'numeric', avro: 'string', nullable: true, value: (n) => `${n % 5_000}.${10 + (n % 90)}` },
  { typeName: 'timestamp', avro: 'long', nullable: true, value: (n) => micros + BigInt(n) * 1_000_003n },
  { typeName: 'bool', avro: 'boolean', nullable: false, value: (n) => n % 3 === 0 },
  { typeName: 'timestamptz', avro: 'string', nullable: false, value: (n) => instant(n) },
  { typeName: 'text', avro: 'string', nullable: true, value: text(24) },
  { typeName: 'date', avro: 'int', nullable: true, value: (n) => 20_400 + (n % 300) },
  {
    typeName: 'text',
    avro: 'string',
    nullable: true,
    value: (n) => ['new', 'paid', 'packed', 'sent'][n % 4],
  },
];

function instant(n: number): string {
  return new Date(1_772_000_000_000 + n * 1_003).toISOString();
}

/** A table of so many columns under a contract, and the change events of its rows as Debezium and the Avro converter write them. */
export class BenchTable {
  readonly dataset: Dataset;
  readonly envelope: AvroSchema;
  readonly keySchema: AvroSchema = record('Key', [{ name: 'id', type: 'long' }]);
  readonly columns: readonly Column[];
  private readonly envelopeType;
  private readonly keyType;

  constructor(columns: number, contract: ContractName) {
    this.columns = Array.from({ length: columns }, (_, i) => ({
      ...cycle[i % cycle.length]!,
      name: i === 0 ? 'id' : i === 1 ? 'customer_id' : `c${i}`,
    }));
    this.dataset = makeDataset(this.columns, contract);
    this.envelope = envelopeSchema(this.columns);
    this.envelopeType = avroType(this.envelope);
    this.keyType = avroType(this.keySchema);
  }

  /** Events of the rows `first` to `first + count`, each in a transaction of its own and of a person of its own. */
  events(first: number, count: number): RawRecord[] {
    return inOneBuffer(Array.from({ length: count }, (_, i) => this.event(first + i)));
  }

  private event(n: number): RawRecord {
    const after: Record<string, unknown> = {};
    for (const [i, column] of this.columns.entries()) {
      // A tenth of what may be null is, each column in other rows.
      after[column.name] = column.nullable && (n + i) % 10 === 0 ? null : column.value(n);
    }
    const id = BigInt(n) + 1_000_000n;
    after['id'] = id;
    const lsn = 0x16_b374_d848n + BigInt(n) * 432n;
    const ms = 1_772_000_000_000n + BigInt(n);
    const event = {
      before: null,
      after,
      source: {
        version: '3.4.0.Final',
        connector: 'postgresql',
        name: 'shop',
        ts_ms: ms,
        snapshot: 'false',
        db: 'shop',
        sequence: `["${lsn - 400n}","${lsn}"]`,
        ts_us: ms * 1_000n,
        ts_ns: ms * 1_000_000n,
        schema: 'public',
        table: 'orders',
        txId: 700_000n + BigInt(n),
        lsn,
        xmin: null,
      },
      transaction: null,
      op: 'c',
      ts_ms: ms + 12n,
      ts_us: (ms + 12n) * 1_000n,
      ts_ns: (ms + 12n) * 1_000_000n,
    };
    return {
      offset: String(n),
      key: frame(schemaIds.key, this.keyType.toBuffer({ id })),
      value: frame(schemaIds.value, this.envelopeType.toBuffer(event)),
    };
  }
}

/** Records as a consumer has them: parts of what one fetch has brought. */
function inOneBuffer(records: readonly RawRecord[]): RawRecord[] {
  const all = Buffer.concat(records.flatMap(({ key, value }) => [key!, value!]));
  let at = 0;
  const part = (length: number) => all.subarray(at, (at += length));
  return records.map(({ offset, key, value }) => ({
    offset,
    key: part(key!.length),
    value: part(value!.length),
  }));
}

/** Confluent wire format: a zero byte, the schema's id in four bytes, Avro. */
function frame(id: number, body: Buffer): Buffer {
  const framed = Buffer.alloc(5 + body.length);
  framed.writeUInt32BE(id, 1);
  body.copy(framed, 5);
  return framed;
}

function makeDataset(columns: readonly Column[], contract: ContractName): Dataset {
  const rule = (i: number): ColumnRule => {
    if (i % 5 !== 2) return { classification: 'internal', action: 'keep' };
    if (contract === 'drop-only') return { classification: 'person.contact', action: 'drop' };
    return { classification: 'person.contact', action: contract };
  };
  return deriveDataset(
    {
      table: 'public.orders',
      owner: 'benchmark@lethe.example',
      tier: 1,
      subject: { type: 'customer', key: 'customer_id' },
      sinks: [],
      staleness: '30s',
      columns: Object.fromEntries(columns.map(({ name }, i) => [name, rule(i)])),
    },
    {
      table: 'public.orders',
      columns: columns.map(({ name, typeName, nullable }) => ({
        name,
        typeName,
        typeKind: 'b',
        typeText: typeName,
        nullable,
        generated: false,
      })),
      primaryKey: ['id'],
      replicaIdentity: 'default',
      relKind: 'r',
    },
  );
}

/** Debezium 3's envelope (https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-create-events). */
function envelopeSchema(columns: readonly Column[]): AvroSchema {
  const row = record(
    'Value',
    columns.map(({ name, avro, nullable }) => (nullable ? optional(name, avro) : { name, type: avro })),
  );
  const plain = (name: string, type: string) => ({ name, type });
  const source = record('Source', [
    ...['version', 'connector', 'name'].map((name) => plain(name, 'string')),
    plain('ts_ms', 'long'),
    { name: 'snapshot', type: ['string', 'null'], default: 'false' },
    plain('db', 'string'),
    optional('sequence', 'string'),
    optional('ts_us', 'long'),
    optional('ts_ns', 'long'),
    plain('schema', 'string'),
    plain('table', 'string'),
    ...['txId', 'lsn', 'xmin'].map((name) => optional(name, 'long')),
  ]);
  const transaction = record('block', [
    plain('id', 'string'),
    plain('total_order', 'long'),
    plain('data_collection_order', 'long'),
  ]);
  return record('Envelope', [
    { name: 'before', type: ['null', row], default: null },
    { name: 'after', type: ['null', 'Value'], default: null },
    { name: 'source', type: source },
    { name: 'transaction', type: ['null', transaction], default: null },
    plain('op', 'string'),
    ...['ts_ms', 'ts_us', 'ts_ns'].map((name) => optional(name, 'long')),
  ]);
}

function record(name: string, fields: readonly Field[]): AvroSchema {
  return { type: 'record', name, fields };
}

function optional(name: string, type: string): Field {
  return { name, type: ['null', type], default: null };
}
