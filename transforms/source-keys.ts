import { BoundedCache } from '../pipeline/bounded-cache.ts';
import type { ColumnRule } from '../schemas/column-rule.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import type { WriterSchema } from './avro-skip.ts';
import { KeyPlan } from './key-plan.ts';

const mostSchemas = 16;

/** Reads which row a raw record is about: its key as it is at the source. */
export class SourceKeys {
  private readonly dataset: Dataset;
  private readonly writerSchema: (id: number) => Promise<WriterSchema>;
  private readonly plans = new BoundedCache<number, KeyPlan>(mostSchemas);

  constructor(dataset: Dataset, writerSchema: (id: number) => Promise<WriterSchema>) {
    // What the contract makes of a key is not asked for, nor any secret.
    this.dataset = { ...dataset, key: dataset.key.map((column) => ({ ...column, rule: kept(column.rule) })) };
    this.writerSchema = writerSchema;
  }

  /** Canonical texts in key order. RECORD_MALFORMED, SCHEMA_UNKNOWN or SCHEMA_UNEXPECTED for what is no key of this table. */
  async read(rawKey: Buffer): Promise<string[]> {
    if (rawKey.length < 5 || rawKey[0] !== 0) throw malformed();
    const id = rawKey.readUInt32BE(1);
    let plan = this.plans.get(id);
    if (!plan) {
      plan = new KeyPlan(await this.writerSchema(id), this.dataset, noSecret);
      this.plans.set(id, plan);
    }
    return plan.readSource(new AvroReader().reset(rawKey, 5));
  }
}

function kept({ classification }: ColumnRule): ColumnRule {
  return { classification, action: 'keep' };
}

function noSecret(): never {
  throw new Error('a key that is kept has no secret');
}
