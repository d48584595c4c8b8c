import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CommittedOffset, SinkOffsets } from '../../../pipeline/sink-offsets.ts';

/** A broker whose answers come in the order that the test lets them. */
class SlowBroker {
  committed: CommittedOffset = { next: -1n, metadata: null };
  readonly waiting: (() => void)[] = [];
  readonly offsets = new SinkOffsets({
    fetch: async () => {
      await this.turn();
      return this.committed;
    },
    write: async (_topic, _partition, offset) => {
      await this.turn();
      this.committed = offset;
    },
  });

  private turn(): Promise<void> {
    return new Promise((go) => this.waiting.push(go));
  }

  /** Answers one request after another, each time the one that `pick` says, until all is done. */
  async answerAll(work: Promise<unknown>, pick: (count: number) => number): Promise<void> {
    const done = new AbortController();
    const ended = work.finally(() => done.abort());
    while (!done.signal.aborted) {
      const [next] = this.waiting.length > 0 ? this.waiting.splice(pick(this.waiting.length), 1) : [];
      next?.();
      await new Promise((go) => setImmediate(go));
    }
    await ended;
  }
}

const position = (n: number) => `0/${n.toString(16).toUpperCase()} ${n}`;

describe('the offsets of a sink', () => {
  it('keep the newest position and the farthest offset, in whatever order the broker answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(100), { minLength: 30, maxLength: 30 }),
        async (isBatch, picks) => {
          const broker = new SlowBroker();
          let pick = 0;
          // As kafkajs reads on: each starts where the one before ends, and none waits for it.
          const work = isBatch.map((batch, i) =>
            batch
              ? broker.offsets.commit('t', 0, BigInt(i + 1), position(i + 1))
              : broker.offsets.pass('t', 0, BigInt(i + 1)),
          );
          await broker.answerAll(Promise.all(work), (count) => picks[pick++ % picks.length]! % count);
          const newest = isBatch.lastIndexOf(true) + 1;
          expect(broker.committed).toEqual({
            next: BigInt(isBatch.length),
            metadata: newest > 0 ? position(newest) : null,
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('do not set a sink back that reads again what it had, nor past what another instance committed', async () => {
    const broker = new SlowBroker();
    broker.committed = { next: 5n, metadata: position(9) };
    const run = (work: Promise<unknown>) => broker.answerAll(work, () => 0);
    await run(broker.offsets.commit('t', 0, 6n, position(3)));
    expect(broker.committed).toEqual({ next: 6n, metadata: position(9) });
    await run(broker.offsets.pass('t', 0, 4n));
    expect(broker.committed.next).toBe(6n);
    broker.committed = { next: 20n, metadata: position(12) };
    broker.offsets.forget();
    await run(broker.offsets.pass('t', 0, 15n));
    expect(broker.committed).toEqual({ next: 20n, metadata: position(12) });
  });
});
