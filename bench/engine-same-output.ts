import { associatedData, decrypt } from '../keys/ciphertext.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { RawRecord } from '../pipeline/transform.ts';
import { cleanAvroSchema } from '../schemas/clean-schema.ts';
import { avroType } from '../schemas/registry.ts';
import { encryptUse } from '../transforms/protection.ts';
import type { AvscPath, Transform, ValueEngine } from './engine-contestants.ts';
import type { BenchTable } from './engine-events.ts';

/** Who must make the same of the same records. */
export interface Makers {
  readonly engine: ValueEngine;
  readonly transform: Transform;
  readonly avsc: AvscPath;
}

/**
 * Fails unless engine, transform and avsc make the same clean values of the records: the same bytes, or where nonces differ
 * the same but for ciphertexts that open to the same plaintext in the same place.
 */
export async function assertSameOutput(
  table: BenchTable,
  { engine, transform, avsc }: Makers,
  keys: KeyStore,
  records: readonly RawRecord[],
): Promise<void> {
  const { dataset } = table;
  const subject = dataset.subject!;
  const type = avroType(cleanAvroSchema(dataset));
  const encrypted = dataset.columns.filter((c) => c.rule.action === 'encrypt').map((c) => c.name);
  const theirs = await avsc.cleanValues(records);
  const ours = await engine.cleanValues(records);
  const outcomes = await transform.clean(records);
  const opened = async (value: Buffer): Promise<Buffer> => {
    const row = type.decode(value, 5).value as Record<string, unknown>;
    const id = String(row[subject.key]);
    const [key] = await keys.dataKeys(subject, [id]);
    for (const name of encrypted) {
      if (row[name] === null) continue;
      const { rule } = dataset.columns.find((c) => c.name === name)!;
      const plaintext = decrypt(
        key!,
        encryptUse(dataset.table, rule),
        associatedData(dataset.table, name),
        row[name] as Buffer,
      );
      if (!plaintext) throw new Error(`a ciphertext of ${name} does not open`);
      row[name] = plaintext;
    }
    return type.toBuffer(row);
  };
  const same = async (a: Buffer, b: Buffer): Promise<boolean> =>
    encrypted.length === 0 ? a.equals(b) : (await opened(a)).equals(await opened(b));
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.kind !== 'clean' || !outcome.value)
      throw new Error(`the transform's outcome is ${outcome.kind}`);
    if (!(await same(ours[i]!, theirs[i]!)) || !(await same(outcome.value, theirs[i]!)))
      throw new Error(`the clean values of event ${i} differ`);
  }
}
