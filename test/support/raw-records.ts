import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../../schemas/config.ts';
import { Registry } from '../../schemas/registry.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';

const limitMs = 120_000;

/** Debezium's envelope, as far as tests look at it; int64 are bigint. */
export interface RawRecord {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/** The values of a raw topic as they are on the wire. */
export async function rawBytes(config: Config, topic: string): Promise<Buffer[]> {
  const values: Buffer[] = [];
  await readTopics(createKafka(config, 'test'), [topic], ({ message }) => {
    for (const part of [message.key, message.value]) if (part) values.push(part);
  });
  return values;
}

/** Decoded records of a raw topic, once there are as many as expected. */
export async function rawRecords(config: Config, topic: string, count: number): Promise<RawRecord[]> {
  const registry = new Registry(config.registry);
  const deadline = Date.now() + limitMs;
  for (;;) {
    const values: Buffer[] = [];
    await readTopics(createKafka(config, 'test'), [topic], ({ message }) => {
      if (message.value) values.push(message.value);
    });
    if (values.length >= count) {
      return Promise.all(
        values.map(async (value) => {
          const type = await registry.decoder(value.readInt32BE(1));
          return type.fromBuffer(value.subarray(5)) as RawRecord;
        }),
      );
    }
    if (Date.now() > deadline) throw new Error(`${topic} holds ${values.length} of ${count} records`);
    await pause(200);
  }
}
