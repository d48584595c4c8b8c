import { BoundedCache } from '../pipeline/bounded-cache.ts';
import type { Dataset } from '../schemas/dataset.ts';
import type { KeyUse } from '../schemas/key-use.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import type { WriterSchema } from './avro-skip.ts';
import { KeyPlan } from './key-plan.ts';
import { type Protection, sharedUsesOf } from './protection.ts';

const mostSchemas = 16;

/** Makes a clean record's key of a raw record's, as the transform does. */
export class RecordKeys {
  private readonly dataset: Dataset;
  private readonly writerSchema: (id: number) => Promise<WriterSchema>;
  private readonly protection: Pick<Protection, 'sharedKey'>;
  private readonly plans = new BoundedCache<number, KeyPlan>(mostSchemas);
  private shared: ReadonlyMap<KeyUse, Buffer> | undefined;

  constructor(
    dataset: Dataset,
    writerSchema: (id: number) => Promise<WriterSchema>,
    protection: Pick<Protection, 'sharedKey'>,
  ) {
    this.dataset = dataset;
    this.writerSchema = writerSchema;
    this.protection = protection;
  }

  /**
   * The key in its canonical form. RECORD_MALFORMED, SCHEMA_UNKNOWN or SCHEMA_UNEXPECTED for what is no key of this table; KEY_STORE_UNAVAILABLE
   * where a pseudonym cannot be made.
   */
  async read(rawKey: Buffer): Promise<string> {
    if (rawKey.length < 5 || rawKey[0] !== 0) throw malformed();
    const id = rawKey.readUInt32BE(1);
    let plan = this.plans.get(id);
    if (!plan) {
      const shared = (this.shared ??= await this.sharedKeys());
      plan = new KeyPlan(await this.writerSchema(id), this.dataset, (use) => shared.get(use)!);
      this.plans.set(id, plan);
    }
    return plan.readClean(new AvroReader().reset(rawKey, 5));
  }

  private async sharedKeys(): Promise<ReadonlyMap<KeyUse, Buffer>> {
    const { table, key } = this.dataset;
    const keys = new Map<KeyUse, Buffer>();
    // A key's pseudonyms are shared always; nothing else of the row is needed here.
    for (const use of sharedUsesOf({ table, columns: key }))
      keys.set(use, await this.protection.sharedKey(use));
    return keys;
  }
}
