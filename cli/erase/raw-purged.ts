import { setTimeout as sleep } from 'node:timers/promises';
import { incomplete } from '../../erasure/incomplete.ts';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import * as names from '../../schemas/names.ts';
import { waitForCapture } from '../wait-for-sinks.ts';

const limitMs = 300_000;
const lookMs = 200;

/** Waits until all that the source has of now is in raw topics: what waits for rows that went, or went itself, has come. */
export async function captured(config: Config, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(limitMs);
  try {
    await waitForCapture(config, { signal: AbortSignal.any([signal, limit]) });
  } catch (cause) {
    if (!limit.aborted) throw cause;
    throw incomplete('changes of the source that the connector has not read', 1);
  }
}

/** Waits until the raw topics start behind all that they hold now: what was in the clear there is on its way from the disk. */
export async function rawPurged(
  config: Config,
  datasets: readonly Dataset[],
  signal: AbortSignal,
): Promise<void> {
  const admin = createKafka(config, 'erase').admin();
  try {
    await admin.connect();
    const read = async () => {
      const found = new Map<string, { low: bigint; high: bigint }>();
      for (const { table } of datasets) {
        const topic = names.rawTopic(config, table);
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          found.set(`${topic}/${partition}`, { low: BigInt(low), high: BigInt(high) });
        }
      }
      return found;
    };
    const ends = await read();
    const deadline = performance.now() + limitMs;
    for (;;) {
      const now = await read();
      const left = [...ends].filter(([place, { high }]) => (now.get(place)?.low ?? high) < high);
      if (left.length === 0) return;
      if (performance.now() > deadline)
        throw incomplete('raw topics that are not purged (lethe run purges them)', left.length);
      await sleep(lookMs, undefined, { signal });
    }
  } catch (cause) {
    throw signal.aborted ? cause : kafkaError(cause);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
