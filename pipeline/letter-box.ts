import { setTimeout as sleep } from 'node:timers/promises';
import type { Kafka, Message } from 'kafkajs';
import { deadLetterHeader } from '../schemas/record-headers.ts';
import { grouped } from './grouped.ts';
import { kafkaError } from './kafka.ts';
import type { OpenLetter, SealedLetter } from './open-letters.ts';
import type { ErrorCode } from '../schemas/errors.ts';
import { rollHeader } from './raw-purge.ts';

/** Few enough for one request: a tombstone has some hundred bytes, a letter up to eight megabytes. */
const tombstonesOfASend = 1_000;
const rollKey = 'roll';

/**
 * Settles dead letters: a tombstone in their topic, which is compacted, so that a letter and what it holds go. Doing it twice, or by
 * two at once, changes nothing.
 */
export class LetterBox {
  private readonly producer: ReturnType<Kafka['producer']>;
  private readonly segmentMs: number;
  private readonly touched = new Set<string>();

  /** `segmentMs`: how long a segment of their topics stays open. */
  constructor(kafka: Kafka, segmentMs: number) {
    this.producer = kafka.producer({ allowAutoTopicCreation: false });
    this.segmentMs = segmentMs;
  }

  async connect(): Promise<void> {
    await this.producer.connect().catch(rethrow);
  }

  /** They are done with. */
  async settle(letters: readonly OpenLetter[]): Promise<void> {
    for (const [topic, own] of grouped(letters, ({ letterTopic }) => letterTopic)) {
      for (let from = 0; from < own.length; from += tombstonesOfASend) {
        const part = own.slice(from, from + tombstonesOfASend);
        await this.send(
          topic,
          part.map(({ key }) => ({ key, value: null })),
        );
      }
    }
  }

  /** It stays open, for another reason than before. */
  async restate({ letter, sealed, headers }: SealedLetter, code: ErrorCode): Promise<void> {
    const changed = { ...Object.fromEntries(headers), [deadLetterHeader.code]: code };
    await this.send(letter.letterTopic, [{ key: letter.key, value: sealed, headers: changed }]);
  }

  /**
   * Kafka compacts no segment that it still writes to: one more record, after the segment's time, closes the one with the
   * tombstones, so that the bytes go from the disk without anybody having to write there again.
   */
  async close(): Promise<void> {
    try {
      if (this.touched.size === 0) return;
      await sleep(this.segmentMs + 100);
      for (const topic of this.touched) {
        await this.send(topic, [{ key: rollKey, value: null, headers: { [rollHeader]: '1' } }]);
      }
    } finally {
      await this.producer.disconnect().catch(() => {});
    }
  }

  private async send(topic: string, messages: Message[]): Promise<void> {
    await this.producer.send({ topic, messages, acks: -1 }).catch(rethrow);
    this.touched.add(topic);
  }
}

function rethrow(cause: unknown): never {
  throw kafkaError(cause);
}
