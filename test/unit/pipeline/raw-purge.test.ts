import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../../../pipeline/log.ts';
import { Outages } from '../../../pipeline/outage.ts';
import { RawPurge } from '../../../pipeline/raw-purge.ts';

const topic = 'raw';
const segmentMs = 1_000;

/** A purge whose broker answers at once; `sending` is called while a roll is on its way. */
async function purgeWith(sending: (purge: RawPurge, rolls: number) => void) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let rolls = 0;
  const none = async () => {};
  const kafka = {
    admin: () => ({
      connect: none,
      disconnect: none,
      fetchTopicOffsets: async () => [],
      deleteTopicRecords: none,
    }),
    producer: () => ({
      connect: none,
      disconnect: none,
      send: async () => {
        rolls++;
        sending(purge, rolls);
      },
    }),
  };
  const log = createLog('silent');
  const purge = new RawPurge(kafka as never, segmentMs, log, new Outages(log));
  await purge.start(100);
  return { purge, rolls: () => rolls };
}

describe('the segment of a raw topic', () => {
  it('is closed once when nothing comes any more, so that what was purged leaves the disk', async () => {
    const { purge, rolls } = await purgeWith(() => {});
    purge.committed(topic, 0, 5n, false);
    await vi.advanceTimersByTimeAsync(10 * segmentMs);
    expect(rolls()).toBe(1);
    purge.committed(topic, 0, 6n, true);
    await vi.advanceTimersByTimeAsync(10 * segmentMs);
    expect(rolls()).toBe(1);
  });

  it('is closed again after what was committed while its roll was on its way', async () => {
    const { purge, rolls } = await purgeWith((own, nth) => {
      if (nth === 1) own.committed(topic, 0, 7n, false);
    });
    purge.committed(topic, 0, 5n, false);
    await vi.advanceTimersByTimeAsync(10 * segmentMs);
    expect(rolls()).toBe(2);
  });

  it('is closed later where the broker did not take the roll', async () => {
    const { purge, rolls } = await purgeWith((_own, nth) => {
      if (nth === 1) throw new Error('away');
    });
    purge.committed(topic, 0, 5n, false);
    await vi.advanceTimersByTimeAsync(10 * segmentMs);
    expect(rolls()).toBe(2);
  });
});
