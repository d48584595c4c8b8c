import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MasterKeys } from '../../../keys/master/master-key.ts';
import { keyLeaseMs, PostgresKeyStore } from '../../../keys/postgres-key-store.ts';
import { wrapKey } from '../../../keys/wrapped-key.ts';

const kind = { type: 'customer' };
const epochKey = randomBytes(32);
const keyId = '00112233-4455-6677-8899-aabbccddeeff';
const roots = randomBytes(64);

/** A key store with one person, whose database answers from memory. */
class OnePerson {
  nowMs = 1_000_000;
  isAway = false;
  isDestroyed = false;
  asked = { looks: 0, keys: 0, suppressed: 0 };
  /** Digests of who is suppressed. */
  suppressed: Buffer[] = [];
  /** Numbers and hashes of its entries. */
  audit: (readonly [string, Buffer])[] = [['1', randomBytes(32)]];
  readonly store: PostgresKeyStore;
  #digest: Buffer | undefined;

  constructor() {
    const master = { kind: 'local', unwrap: async () => epochKey } as unknown as MasterKeys;
    const pool = { query: (text: string, values: unknown[]) => this.#answer(text, values) };
    const bounds = { maxKeys: 10, maxAgeMs: 300_000 };
    this.store = new PostgresKeyStore(pool as never, master, bounds, () => this.nowMs);
  }

  async #answer(text: string, values: unknown[] = []): Promise<{ rows: unknown[] }> {
    if (this.isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    if (text.includes('as gone')) {
      this.asked.looks++;
      const gone = this.isDestroyed ? [keyId] : [];
      const [seq, head] = this.audit.at(-1)!;
      const before = new Map(this.audit).get(String(values[1])) ?? null;
      return { rows: [{ now: '2026-01-01', gone, suppressed: this.suppressed, seq, head, before }] };
    }
    if (text.includes('lethe_keys.epochs')) {
      const row = { store: 's', epoch: 1, master_kind: 'local', master_name: 'm', state: 'open' };
      return { rows: [{ ...row, wrapped: Buffer.alloc(1) }] };
    }
    if (text.includes('lethe_keys.secrets')) {
      return { rows: [{ wrapped: wrapKey(1, epochKey, String(values[0]), 0, randomBytes(32)) }] };
    }
    if (text.startsWith('select hash from lethe_keys.audit')) {
      const hash = new Map(this.audit).get(String(values[0]));
      return { rows: hash ? [{ hash }] : [] };
    }
    if (text.startsWith('select subject_digest as d from lethe_keys.suppressed')) {
      const digests = values[1] as Buffer[];
      this.asked.suppressed += digests.length;
      const found = digests.filter((d) => this.suppressed.some((own) => own.equals(d)));
      return { rows: found.map((d) => ({ d })) };
    }
    this.asked.keys++;
    this.#digest ??= (values[2] as Buffer[])[0]!;
    const wrapped = this.isDestroyed ? null : wrapKey(1, epochKey, keyId, 1, roots);
    return { rows: [{ subject_digest: this.#digest, key_id: keyId, generation: 1, wrapped }] };
  }
}

describe('a key in memory', () => {
  let one: OnePerson;
  const key = async () => (await one.store.dataKeys(kind, ['42']))[0]!;
  beforeEach(() => {
    one = new OnePerson();
  });

  it('is used without asking within the lease, and after a look that found nothing', async () => {
    const first = await key();
    expect(first).toMatchObject({ generation: 1 });
    one.nowMs += keyLeaseMs - 1;
    expect(await key()).toBe(first);
    expect(one.asked).toMatchObject({ looks: 1, keys: 1 });
    one.nowMs += 1;
    expect(await key()).toBe(first);
    expect(one.asked).toMatchObject({ looks: 2, keys: 1 });
  });

  it('is dropped by the look that finds it destroyed, and comes back as destroyed', async () => {
    await key();
    one.isDestroyed = true;
    one.nowMs += keyLeaseMs;
    expect(await key()).toBe(null);
    expect(one.asked.keys).toBe(2);
  });

  it('is not used when nobody can look', async () => {
    const first = await key();
    one.isAway = true;
    one.nowMs += keyLeaseMs - 1;
    expect(await key()).toBe(first);
    one.nowMs += 1;
    await expect(key()).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' });
    one.isAway = false;
    expect(await key()).toBe(first);
  });

  it('is not used where the audit went back, or is another one, until what was there is there again', async () => {
    const first = await key();
    const [entry] = one.audit as [(typeof one.audit)[0]];
    const newest = [...one.audit, ['2', randomBytes(32)] as const];
    one.audit = newest;
    one.nowMs += keyLeaseMs;
    expect(await key()).toBe(first);
    const others: (typeof one.audit)[] = [[entry], [entry, ['2', randomBytes(32)], ['3', randomBytes(32)]]];
    for (const audit of others) {
      one.audit = audit;
      one.nowMs += keyLeaseMs;
      await expect(key()).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
      await expect(key()).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
      await expect(one.store.areSuppressed(kind, ['42'])).rejects.toMatchObject({
        code: 'KEY_STORE_INVALID',
      });
    }
    one.audit = [...newest, ['3', randomBytes(32)]];
    expect(await key()).toBe(first);
    // Within the lease too, of whoever is not at hand.
    one.audit = [entry];
    expect(await key()).toBe(first);
    await expect(one.store.dataKeys(kind, ['43'])).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await expect(one.store.areSuppressed(kind, ['43'])).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
  });

  it('is looked for once by those who ask at once', async () => {
    await key();
    one.nowMs += keyLeaseMs;
    await Promise.all([key(), key(), key()]);
    expect(one.asked.looks).toBe(2);
  });
});

describe('who is not suppressed', () => {
  const ask = (one: OnePerson) => one.store.areSuppressed(kind, ['41', '42', '43']);

  it('is asked for again once he is, and nobody else with him', async () => {
    const one = new OnePerson();
    expect(await ask(one)).toEqual([false, false, false]);
    expect(await ask(one)).toEqual([false, false, false]);
    expect(one.asked.suppressed).toBe(3);
    one.suppressed = [await one.store.subjectDigest(kind, '42')];
    one.nowMs += keyLeaseMs;
    expect(await ask(one)).toEqual([false, true, false]);
    expect(one.asked.suppressed).toBe(4);
  });
});
