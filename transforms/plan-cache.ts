import { BoundedCache } from '../pipeline/bounded-cache.ts';
import type { RawRecord } from '../pipeline/transform.ts';
import { type Dataset, isReadAtSource } from '../schemas/dataset.ts';
import type { LetheError } from '../schemas/errors.ts';
import type { KeyUse } from '../schemas/key-use.ts';
import { isOfRecord } from '../schemas/playbooks.ts';
import { malformed } from './avro-reader.ts';
import { unexpected, type WriterSchema } from './avro-skip.ts';
import type { Cipher } from './column-action.ts';
import { EnvelopePlan } from './envelope-plan.ts';
import { KeyPlan } from './key-plan.ts';
import { type Protection, sharedUsesOf } from './protection.ts';
import { RowPlan } from './row-plan.ts';

/** Plans of one writer schema of values. */
export interface ValuePlan {
  readonly envelope: EnvelopePlan;
  readonly row: RowPlan;
}

export interface PlanSources {
  readonly dataset: Dataset;
  /** A writer schema by its registry id; SCHEMA_UNKNOWN if there is none, UNREACHABLE if nobody answers. */
  readonly writerSchema: (id: number) => Promise<WriterSchema>;
  readonly protection: Protection;
  readonly cipher: Cipher;
  /** Debezium's unavailable.value.placeholder. */
  readonly placeholder: string;
  /** Called once for each writer schema with the raw fields that the contract does not name. */
  readonly onUnnamed?: (fields: readonly string[]) => void;
  /**
   * Called for each writer schema that lacks columns of the contract, and when the source says that one which is to be read there is gone.
   * Resolves if they are only newer than the events, which then have null for them until the rows are read again; throws a retriable
   * error if the table has them no more.
   */
  readonly onMissing?: (columns: readonly string[]) => Promise<void>;
}

const mostSchemas = 64;

/**
 * Plans by writer schema, compiled on first sight. load() does all that waits for a server before a batch is processed; value() and
 * key() then answer at once. A schema that cannot be compiled fails its records, and is looked up again with the
 * next batch.
 */
export class PlanCache {
  private readonly values = new BoundedCache<number, ValuePlan>(mostSchemas);
  private readonly keys = new BoundedCache<number, KeyPlan>(mostSchemas);
  private readonly shared = new Map<KeyUse, Buffer>();
  private failures = new Map<number, LetheError>();
  private readonly sources: PlanSources;
  private last: { id: number; plan: ValuePlan } | undefined;
  private lastKey: { id: number; plan: KeyPlan } | undefined;

  constructor(sources: PlanSources) {
    this.sources = sources;
  }

  /** Makes sure that there is a plan, or a failure, for every schema of the records. */
  async load(records: readonly RawRecord[]): Promise<void> {
    this.failures = new Map();
    this.last = undefined;
    this.lastKey = undefined;
    let seenValue = -1;
    let seenKey = -1;
    for (const { key, value } of records) {
      const valueId = value === null ? undefined : frameId(value);
      if (valueId !== undefined && valueId !== seenValue)
        await this.compile(valueId, this.values, () => this.compileValue(valueId));
      const keyId = key === null ? undefined : frameId(key);
      if (keyId !== undefined && keyId !== seenKey)
        await this.compile(keyId, this.keys, () => this.compileKey(keyId));
      seenValue = valueId ?? seenValue;
      seenKey = keyId ?? seenKey;
    }
  }

  value(frame: Buffer): ValuePlan {
    const id = frameId(frame);
    if (id === undefined) throw malformed();
    if (this.last?.id === id) return this.last.plan;
    this.last = { id, plan: this.need(id, this.values) };
    return this.last.plan;
  }

  key(frame: Buffer): KeyPlan {
    const id = frameId(frame);
    if (id === undefined) throw malformed();
    if (this.lastKey?.id === id) return this.lastKey.plan;
    this.lastKey = { id, plan: this.need(id, this.keys) };
    return this.lastKey.plan;
  }

  private need<P>(id: number, cache: BoundedCache<number, P>): P {
    const plan = cache.get(id);
    if (plan) return plan;
    throw this.failures.get(id) ?? malformed();
  }

  private async compile<P>(
    id: number,
    cache: BoundedCache<number, P>,
    make: () => Promise<P>,
  ): Promise<void> {
    if (cache.get(id) || this.failures.has(id)) return;
    try {
      await this.loadShared();
      cache.set(id, await make());
    } catch (error) {
      if (!isOfRecord(error)) throw error;
      this.failures.set(id, error);
    }
  }

  private async compileValue(id: number): Promise<ValuePlan> {
    const { dataset, cipher, placeholder, writerSchema, onUnnamed, onMissing } = this.sources;
    const envelope = new EnvelopePlan(await writerSchema(id));
    const written = new Set(envelope.row.fields?.map(({ name }) => name));
    const read = dataset.columns.filter((column) => column.rule.action !== 'null' && !isReadAtSource(column));
    const missing = [...new Set([...read, ...dataset.facts].map(({ name }) => name))].filter(
      (name) => !written.has(name),
    );
    if (missing.length > 0) await onMissing?.(missing);
    const row = new RowPlan(envelope.row, envelope.names, dataset, {
      placeholder,
      cipher,
      keys: this.sharedKey,
    });
    if (row.unnamed.length > 0) onUnnamed?.(row.unnamed);
    return { envelope, row };
  }

  private async compileKey(id: number): Promise<KeyPlan> {
    const { dataset, writerSchema } = this.sources;
    return new KeyPlan(await writerSchema(id), dataset, this.sharedKey);
  }

  private readonly sharedKey = (use: KeyUse): Buffer => {
    const key = this.shared.get(use);
    if (!key) throw unexpected(`a key of ${this.sources.dataset.table} is not there`);
    return key;
  };

  private async loadShared(): Promise<void> {
    const { dataset, protection } = this.sources;
    for (const use of sharedUsesOf(dataset)) {
      if (!this.shared.has(use)) this.shared.set(use, await protection.sharedKey(use));
    }
  }
}

/** Confluent wire format: a zero byte, the schema id in four bytes, Avro. */
function frameId(frame: Buffer): number | undefined {
  if (frame.length < 5 || frame[0] !== 0) return undefined;
  return ((frame[1]! << 24) | (frame[2]! << 16) | (frame[3]! << 8) | frame[4]!) >>> 0;
}
