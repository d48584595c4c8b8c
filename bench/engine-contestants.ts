import { createHmac } from 'node:crypto';
import type avsc from 'avsc';
import { associatedData, ciphertextOverhead, encrypt, encryptInto } from '../keys/ciphertext.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { SubjectKey } from '../keys/subject-key.ts';
import type { Outcome, RawRecord } from '../pipeline/transform.ts';
import { VersionClock } from '../pipeline/version-clock.ts';
import { cleanAvroSchema, plainType } from '../schemas/clean-schema.ts';
import { avroType } from '../schemas/registry.ts';
import { ByteWriter } from '../transforms/byte-writer.ts';
import { OffsetsPool } from '../transforms/offsets.ts';
import { PlanCache, type PlanSources } from '../transforms/plan-cache.ts';
import { encryptUse, keyedUse, usesSubjectKeys } from '../transforms/protection.ts';
import { createTableTransform } from '../transforms/table-transform.ts';
import { type BenchTable, schemaIds } from './engine-events.ts';

/** Goes through batches of raw records; everything it needs of a server is at hand. */
export type Contestant = (batches: readonly (readonly RawRecord[])[]) => Promise<void>;

/** A decoded row. */
type Row = Record<string, unknown>;

const batchSize = 500;

/** Batches as the transform gets them. */
export function batchesOf(records: readonly RawRecord[]): RawRecord[][] {
  const count = Math.ceil(records.length / batchSize);
  return Array.from({ length: count }, (_, i) => records.slice(i * batchSize, (i + 1) * batchSize));
}

const placeholder = '__lethe_unavailable_bench';
const cipher = { overhead: ciphertextOverhead, encryptInto, associatedData };

function planSources(table: BenchTable, keys: KeyStore): PlanSources {
  const { dataset, envelope, keySchema } = table;
  const writerSchema = async (id: number) => (id === schemaIds.value ? envelope : keySchema);
  return { dataset, writerSchema, protection: keys, cipher, placeholder };
}

/** Lethe's engine on what avsc is given and nothing more: the value alone, from the compiled plan. */
export class ValueEngine {
  private readonly table: BenchTable;
  private readonly keys: KeyStore;
  private readonly plans: PlanCache;
  private readonly rooms = new OffsetsPool();
  private readonly frame = Buffer.alloc(5);

  constructor(table: BenchTable, keys: KeyStore) {
    this.table = table;
    this.keys = keys;
    this.plans = new PlanCache(planSources(table, keys));
    this.frame.writeUInt32BE(schemaIds.clean, 1);
  }

  /** The clean values of one batch. */
  async cleanValues(records: readonly RawRecord[]): Promise<Buffer[]> {
    const { plans } = this;
    await plans.load(records);
    const room = this.rooms.lend();
    const out = new ByteWriter(records.reduce((sum, r) => sum + r.value!.length, 0) + 1024);
    const isPersonal = usesSubjectKeys(this.table.dataset);
    const rows = records.map(({ value }) => {
      const { envelope, row } = plans.value(value!);
      const base = envelope.findRow(value!, room);
      // No event has a value to be read back from the source.
      const special = !row.isOrdinary(value!, room.at, base);
      const resolved = special ? row.corrections(value!, room.at, base) : undefined;
      const end = isPersonal ? row.subject?.follow(value!, room.at, base, undefined) : undefined;
      const subjectId = end && 'text' in end ? (end.text ?? '') : '';
      return { value: value!, row, base, subjectId, resolved };
    });
    const { subject } = this.table.dataset;
    const ids = rows.map((row) => row.subjectId);
    const dataKeys = isPersonal ? await this.keys.dataKeys(subject!, ids) : [];
    const values = rows.map(({ value, row, base, resolved }, i) => {
      out.begin();
      out.copy(this.frame, 0, 5);
      const context = { dataKey: dataKeys[i] ?? undefined, names: [] };
      row.write(value, room.at, base, out, context, resolved);
      return out.take();
    });
    this.rooms.giveBack(room);
    return values;
  }

  readonly run: Contestant = async (batches) => {
    for (const batch of batches) await this.cleanValues(batch);
  };
}

/** All that Lethe does with a record: the value, and its key, version and headers. */
export class Transform {
  private readonly transform;

  constructor(table: BenchTable, keys: KeyStore) {
    this.transform = createTableTransform({
      ...planSources(table, keys),
      cleanSchemaId: schemaIds.clean,
      resolver: { read: async () => [] },
    });
  }

  /** The clean records of one batch. */
  clean(records: readonly RawRecord[]): Promise<Outcome[]> {
    return this.transform.transform(records, VersionClock.from(null));
  }

  readonly run: Contestant = async (batches) => {
    const clock = VersionClock.from(null);
    for (const batch of batches) await this.transform.transform(batch, clock);
  };
}

/**
 * The same values with avsc, as one would write it who knows it well: decode the envelope, act on the decoded row in place,
 * encode it with the clean schema, whose compiled writer takes what it has fields for. No key, version or header is made.
 */
export class AvscPath {
  private readonly table: BenchTable;
  private readonly keys: KeyStore;
  private readonly envelope: avsc.Type;
  private readonly clean: avsc.Type;
  private acts: readonly ((row: Row, key: SubjectKey | null) => void)[] = [];
  private readonly scratch = Buffer.alloc(64 * 1024);

  constructor(table: BenchTable, keys: KeyStore) {
    this.table = table;
    this.keys = keys;
    this.envelope = avroType(table.envelope);
    this.clean = avroType(cleanAvroSchema(table.dataset));
    this.scratch.writeUInt32BE(schemaIds.clean, 1);
  }

  /** Compiles the contract's actions; drop needs none. */
  async prepare(): Promise<this> {
    const { dataset } = this.table;
    const acts: (typeof this.acts)[number][] = [];
    for (const column of dataset.columns) {
      const { name } = column;
      if (column.rule.action === 'hash') {
        const use = keyedUse({ table: dataset.table, column, rule: column.rule })!;
        acts.push((row, key) => {
          if (row[name] !== null)
            row[name] = createHmac('sha256', key!.subkey(use))
              .update(row[name] as string)
              .digest('base64url');
        });
      } else if (column.rule.action === 'encrypt') {
        const plain = avroType(plainType(column));
        const use = encryptUse(dataset.table, column.rule);
        const place = associatedData(dataset.table, name);
        acts.push((row, key) => {
          if (row[name] === null) return;
          row[name] = encrypt(key!, use, place, plain.toBuffer(row[name]));
        });
      }
    }
    this.acts = acts;
    return this;
  }

  /** The clean values of one batch. */
  async cleanValues(records: readonly RawRecord[]): Promise<Buffer[]> {
    const rows = records.map((record) => this.decode(record));
    const { subject } = this.table.dataset;
    let keys: (SubjectKey | null)[] = [];
    if (usesSubjectKeys(this.table.dataset)) {
      const ids = rows.map((row) => String(row[subject!.key]));
      keys = await this.keys.dataKeys(subject!, ids);
    }
    return rows.map((row, i) => {
      for (const act of this.acts) act(row, keys[i] ?? null);
      const end = this.clean.encode(row, this.scratch, 5);
      return Buffer.from(this.scratch.subarray(0, end));
    });
  }

  readonly run: Contestant = async (batches) => {
    for (const batch of batches) await this.cleanValues(batch);
  };

  /** Decodes, and does nothing with it. */
  readonly runDecode: Contestant = async (batches) => {
    for (const batch of batches) for (const record of batch) this.decode(record);
  };

  private decode(record: RawRecord): Row {
    return (this.envelope.decode(record.value!, 5).value as { after: Row }).after;
  }
}
