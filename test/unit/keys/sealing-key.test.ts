import * as fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeCiphertext } from '../../../keys/ciphertext.ts';
import { createLookupCipher } from '../../../keys/lookup-cipher.ts';
import { createPayloadOpener, createPayloadSealer } from '../../../keys/payload-sealer.ts';
import type { EncryptionReserve } from '../../../keys/reserve-encryptions.ts';
import { SealingKey } from '../../../keys/sealing-key.ts';
import { SubjectKey } from '../../../keys/subject-key.ts';
import { sharedKey, testSubjectKey } from '../../support/test-keys.ts';

const table = 'public.orders';

/** A key store with one key of no person, whose generations hold so many encryptions; what a process keeps of it is as old as it likes. */
class OneKey {
  readonly #first = testSubjectKey();
  readonly #generations: SubjectKey[] = [this.#first];
  readonly #reserved = [0];
  /** What `dataKeys` gives: a process keeps a key for minutes. */
  seen = this.#first as SubjectKey;

  readonly block: number;
  readonly most: number;

  constructor(block: number, most: number) {
    this.block = block;
    this.most = most;
  }

  get keys() {
    return {
      dataKeys: async (_: unknown, ids: readonly string[]) => ids.map(() => this.seen),
      keyById: async (_: Buffer, generation: number) => this.#generations[generation - 1] ?? null,
      sharedKey: async (use: Parameters<typeof sharedKey>[0]) => sharedKey(use),
    };
  }

  get reserve(): EncryptionReserve {
    return {
      block: this.block,
      reserve: async () => {
        if (this.#reserved.at(-1)! + this.block > this.most) this.rotate();
        this.#reserved[this.#reserved.length - 1]! += this.block;
        return { generation: this.#generations.length, count: this.block };
      },
    };
  }

  get generations(): number {
    return this.#generations.length;
  }

  rotate(): void {
    const generation = this.#generations.length + 1;
    this.#generations.push(new SubjectKey(this.#first.keyId, generation, randomBytes(64)));
    this.#reserved.push(0);
  }

  notice(): void {
    this.seen = this.#generations.at(-1)!;
  }
}

describe('a key that is nobody’s own', () => {
  it('encrypts under no generation more often than was reserved, whoever seals in whatever order', async () => {
    const step = fc.oneof(
      fc.record({ process: fc.nat(3), seals: fc.integer({ min: 1, max: 9 }) }),
      fc.constant('restart' as const),
      fc.constant('notice' as const),
      fc.constant('rotate' as const),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(step, { maxLength: 40 }),
        async (block, blocks, steps) => {
          const one = new OneKey(block, block * blocks);
          const process = () => new SealingKey({ keys: one.keys, reserve: one.reserve });
          const processes = [0, 1, 2, 3].map(process);
          const made = new Map<number, number>();
          const use = (key: SubjectKey) => made.set(key.generation, (made.get(key.generation) ?? 0) + 1);
          for (const doing of steps) {
            if (doing === 'restart') processes[0] = process();
            else if (doing === 'notice') one.notice();
            else if (doing === 'rotate') one.rotate();
            else {
              const own = processes[doing.process]!;
              const seals = Array.from({ length: doing.seals }, () => own.next(one.seen));
              for (const key of await Promise.all(seals)) use(key);
            }
          }
          for (const count of made.values()) expect(count).toBeLessThanOrEqual(one.most);
        },
      ),
    );
  });

  it('goes on in the next generation when one is full, and every letter opens', async () => {
    const one = new OneKey(2, 4);
    const sealer = createPayloadSealer(one.keys, one.reserve);
    const letters = await Promise.all(
      Array.from({ length: 11 }, (_, i) => sealer.seal(Buffer.from(`letter ${i}`), 'topic')),
    );
    const counts = new Map<number, number>();
    for (const { sealed } of letters) {
      const { generation } = describeCiphertext(sealed)!;
      counts.set(generation, (counts.get(generation) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([4, 4, 3]);
    const opener = createPayloadOpener(one.keys);
    for (const [i, { sealed }] of letters.entries()) {
      expect(await opener.open(sealed, 'topic')).toMatchObject({ payload: Buffer.from(`letter ${i}`) });
    }
  });

  it('seals nothing that was not reserved', async () => {
    const one = new OneKey(4, 8);
    const cipher = createLookupCipher(one.keys, one.reserve);
    await cipher.load([table]);
    const seal = () => cipher.seal(table, 'topic', Buffer.from('facts'));
    for (let i = 0; i < 4; i++) seal();
    expect(seal).toThrow(expect.objectContaining({ code: 'KEY_STORE_UNAVAILABLE' }));
    await cipher.load([table]);
    seal();
  });

  it('opens what another process sealed under a generation that this one has not seen, after its next load', async () => {
    const one = new OneKey(2, 4);
    const [mine, other] = [
      createLookupCipher(one.keys, one.reserve),
      createLookupCipher(one.keys, one.reserve),
    ];
    await mine.load([table]);
    const early = mine.seal(table, 'topic', Buffer.from('early'));
    one.rotate();
    one.notice();
    await other.load([table]);
    // What was sealed before this process came opens at once.
    expect(other.open(table, 'topic', early).toString()).toBe('early');
    const late = other.seal(table, 'topic', Buffer.from('late'));
    expect(describeCiphertext(late)).toMatchObject({ generation: 2 });
    const open = () => mine.open(table, 'topic', late).toString();
    expect(open).toThrow(expect.objectContaining({ code: 'KEY_STORE_UNAVAILABLE' }));
    one.seen = (await one.keys.keyById(Buffer.alloc(0), 1))!;
    await mine.load([table]);
    expect(open()).toBe('late');
    // One that nobody has is no reason to wait for ever.
    late.writeUInt32BE(77, 17);
    expect(open).toThrow(expect.objectContaining({ code: 'KEY_STORE_UNAVAILABLE' }));
    await mine.load([table]);
    expect(open).toThrow(expect.objectContaining({ code: 'KEY_STORE_INVALID' }));
  });
});
