import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomFillSync } from 'node:crypto';
import type avsc from 'avsc';
import { associatedData } from '../keys/ciphertext.ts';
import { deriveSubkey } from '../keys/subkey.ts';
import { rootBytes } from '../keys/subject-key.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { RawRecord } from '../pipeline/transform.ts';
import type { KeyUse } from '../schemas/key-use.ts';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import { plainType } from '../schemas/clean-schema.ts';
import { avroType } from '../schemas/registry.ts';
import { encryptUse } from '../transforms/protection.ts';
import type { Contestant } from './engine-contestants.ts';
import type { BenchTable } from './engine-events.ts';

/** What one event gives to the calls, all of it made before the clock runs. */
interface Input {
  readonly person: string;
  readonly texts: readonly string[];
  readonly plaintexts: readonly Plaintext[];
  /** What the subject's key is looked up by, and its wrapped form. */
  readonly subject: Buffer;
  readonly wrapped: Wrapped | undefined;
}

interface Plaintext {
  readonly aad: Buffer;
  readonly use: KeyUse;
  readonly key: Buffer;
  readonly plaintext: Buffer;
}

interface Wrapped {
  readonly nonce: Buffer;
  readonly aad: Buffer;
  readonly body: Buffer;
  readonly tag: Buffer;
}

/**
 * The bare calls of node:crypto that the contract needs for the events, and nothing else: HMAC-SHA-256 for a pseudonym,
 * AES-256-GCM for a ciphertext; for a person not seen before also the digest that finds the key, its unwrapping, and the subkeys.
 */
export class CipherCalls {
  private readonly inputs = new Map<RawRecord, Input>();
  private readonly pool = Buffer.allocUnsafeSlow(12 * 4096);
  private poolAt = this.pool.length;
  private readonly secret = randomBytes(32);
  private readonly wrapping = randomBytes(32);
  private readonly cold: boolean;

  private constructor(cold: boolean) {
    this.cold = cold;
  }

  /** Over events of persons whose keys `keys` has; `cold` calls make each key from its wrapped form. */
  static async over(
    table: BenchTable,
    records: readonly RawRecord[],
    keys: KeyStore,
    { cold }: { readonly cold: boolean },
  ): Promise<CipherCalls> {
    const calls = new CipherCalls(cold);
    const { dataset } = table;
    const subject = dataset.subject!;
    const envelope = avroType(table.envelope);
    const rows = records.map(
      (record) => (envelope.decode(record.value!, 5).value as { after: Record<string, unknown> }).after,
    );
    const ids = rows.map((row) => String(row[subject.key]));
    const dataKeys = await keys.dataKeys(subject, ids);
    const uses = new Map(dataset.columns.map((c) => [c.name, encryptUse(dataset.table, c.rule)]));
    const hashed = dataset.columns.filter((c) => c.rule.action === 'hash').map((c) => c.name);
    const encrypted = dataset.columns
      .filter((c) => c.rule.action === 'encrypt')
      .map((c): [string, avsc.Type] => [c.name, avroType(plainType(c))]);
    for (const [i, row] of rows.entries()) {
      const id = ids[i]!;
      calls.inputs.set(records[i]!, {
        person: id,
        texts: hashed.flatMap((name) => (row[name] === null ? [] : [row[name] as string])),
        plaintexts: encrypted.flatMap(([name, type]) => {
          if (row[name] === null) return [];
          const use = uses.get(name)!;
          const aad = associatedData(dataset.table, name);
          return [{ aad, use, key: dataKeys[i]!.subkey(use), plaintext: type.toBuffer(row[name]) }];
        }),
        subject: lengthPrefixed('lethe/subject/v2', subject.type, '', id),
        wrapped: cold ? calls.wrap(randomBytes(2 * rootBytes), id) : undefined,
      });
    }
    return calls;
  }

  personsOf(batch: readonly RawRecord[]): string[] {
    return batch.map((record) => this.inputs.get(record)!.person);
  }

  readonly run: Contestant = async (batches) => {
    for (const batch of batches) for (const record of batch) this.call(this.inputs.get(record)!);
  };

  private call({ texts, plaintexts, subject, wrapped }: Input): void {
    for (const text of texts) createHmac('sha256', this.secret).update(text).digest('base64url');
    const subkeys = new Map<KeyUse, Buffer>();
    if (this.cold && wrapped) {
      createHmac('sha256', this.wrapping).update(subject).digest();
      const decipher = createDecipheriv('aes-256-gcm', this.wrapping, wrapped.nonce);
      decipher.setAAD(wrapped.aad);
      decipher.setAuthTag(wrapped.tag);
      const unwrapped = decipher.update(wrapped.body);
      decipher.final();
      // One for each dataset and classification that the event has.
      for (const { use } of plaintexts) {
        if (!subkeys.has(use)) subkeys.set(use, deriveSubkey(unwrapped, use));
      }
    }
    for (const { aad, use, key, plaintext } of plaintexts) {
      const cipher = createCipheriv('aes-256-gcm', subkeys.get(use) ?? key, this.nextNonce());
      cipher.setAAD(aad);
      cipher.update(plaintext);
      cipher.final();
      cipher.getAuthTag();
    }
  }

  private nextNonce(): Buffer {
    if (this.poolAt >= this.pool.length) {
      randomFillSync(this.pool);
      this.poolAt = 0;
    }
    this.poolAt += 12;
    return this.pool.subarray(this.poolAt - 12, this.poolAt);
  }

  private wrap(secret: Buffer, id: string): Wrapped {
    const nonce = randomBytes(12);
    const name = `00000000-0000-4000-8000-${id.padStart(12, '0')}`;
    const aad = lengthPrefixed('lethe/wrap/v2', '1', name, '1');
    const cipher = createCipheriv('aes-256-gcm', this.wrapping, nonce);
    cipher.setAAD(aad);
    const body = Buffer.concat([cipher.update(secret), cipher.final()]);
    return { nonce, aad, body, tag: cipher.getAuthTag() };
  }
}
