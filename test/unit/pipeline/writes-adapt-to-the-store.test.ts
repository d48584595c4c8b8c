import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CleanChange, Verdict } from '../../../pipeline/sink.ts';
import { WriteBatcher } from '../../../pipeline/write-batcher.ts';
import { LetheError } from '../../../schemas/errors.ts';

const limits = { maxChanges: 1_000, maxBytes: 1_000_000, lingerMs: 0, maxWrites: 3 };

function changes(partition: number, from: number, count: number): CleanChange[] {
  return Array.from({ length: count }, (_, i) => ({ key: `${partition}`, n: from + i }) as never);
}

const written = (count: number): Verdict[] => Array.from({ length: count }, () => ({ outcome: 'written' }));

/** Lets everything happen that waits for no clock. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => setImmediate(resolve));
}

describe('writes of several partitions', () => {
  it('keep each key in order with several under way, whatever order they end in', async () => {
    const parts = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 600 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(parts, fc.scheduler(), async (sent, scheduler) => {
        const done: { key: string; n: number }[] = [];
        let underWay = 0;
        let most = 0;
        const batcher = new WriteBatcher(
          scheduler.scheduleFunction(async (batch: readonly CleanChange[]) => {
            most = Math.max(most, ++underWay);
            done.push(...(batch as unknown as typeof done));
            underWay--;
            return written(batch.length);
          }),
          limits,
        );
        // As the processor does: a partition's next part waits for the verdicts of this one.
        const partitions = [0, 1, 2, 3].map(async (partition) => {
          let n = 0;
          for (const [own, count] of sent) {
            if (own !== partition) continue;
            expect(await batcher.add(changes(partition, n, count), 0)).toHaveLength(count);
            n += count;
          }
          return n;
        });
        const all = Promise.all(partitions);
        await scheduler.waitFor(all);
        expect(most).toBeLessThanOrEqual(limits.maxWrites);
        for (const [partition, count] of (await all).entries()) {
          const own = done.filter(({ key }) => key === `${partition}`).map(({ n }) => n);
          expect(own).toEqual(Array.from({ length: count }, (_, i) => i));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('never hold more changes than the store was last able to take, and grow again', async () => {
    let overloaded = true;
    const sizes: number[] = [];
    const batcher = new WriteBatcher(
      async (batch) => {
        sizes.push(batch.length);
        if (overloaded) throw new LetheError('SERVER_FAILED', 'overloaded');
        return written(batch.length);
      },
      { ...limits, maxWrites: 1 },
    );
    for (let i = 0; i < 6; i++) {
      const size = batcher.batchSize;
      await expect(batcher.add(changes(0, 0, size), 0)).rejects.toThrow('overloaded');
      expect(sizes.at(-1)).toBe(size);
    }
    expect(batcher.batchSize).toBe(100);
    overloaded = false;
    // Ten parts wait together: they are not joined beyond what the store takes.
    const waiting = Array.from({ length: 10 }, () => batcher.add(changes(0, 0, 50), 0));
    await Promise.all(waiting);
    expect(Math.max(...sizes.slice(6))).toBeLessThanOrEqual(100 + 50 * 5);
    for (let i = 0; i < 20; i++) await batcher.add(changes(0, 0, 10), 0);
    expect(batcher.batchSize).toBe(1_000);
  });

  it('hold no more bytes than the limit, but for a single part, and less of an overloaded store', async () => {
    let overloaded = false;
    const written: number[] = [];
    const batcher = new WriteBatcher(
      async (batch) => {
        written.push(batch.length);
        if (overloaded) throw new LetheError('SERVER_FAILED', 'overloaded');
        return batch.map(() => ({ outcome: 'written' }));
      },
      { ...limits, maxWrites: 1, lingerMs: 5 },
    );
    // One change a part: how many are joined is how many bytes fit.
    const parts = async (count: number, bytes: number): Promise<number[]> => {
      written.length = 0;
      await Promise.allSettled(Array.from({ length: count }, (_, i) => batcher.add(changes(0, i, 1), bytes)));
      return written;
    };
    expect(await parts(8, 400_000)).toEqual([2, 2, 2, 2]);
    expect(await parts(2, 3_000_000)).toEqual([1, 1]);
    expect([batcher.batchBytes, batcher.lingerMs]).toEqual([1_000_000, 5]);
    overloaded = true;
    await parts(1, 10);
    expect([batcher.batchSize, batcher.batchBytes, batcher.lingerMs]).toEqual([500, 500_000, 10]);
    for (let i = 0; i < 6; i++) await parts(1, 10);
    expect([batcher.batchSize, batcher.batchBytes, batcher.lingerMs]).toEqual([100, 100_000, 50]);
  });

  it('become smaller when single changes are not taken', async () => {
    const batcher = new WriteBatcher(
      async (batch) => batch.map(() => ({ outcome: 'retriable', code: 'SERVER_FAILED' }) as const),
      limits,
    );
    await batcher.add(changes(0, 0, 10), 0);
    await settled();
    expect(batcher.batchSize).toBe(500);
  });
});
