import { randomBytes } from 'node:crypto';
import kafkajs, { type Admin, type Kafka, type KafkaMessage } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { type OutputRecord, TransactionalProducer } from '../../pipeline/transactional-producer.ts';
import { createLog } from '../../pipeline/log.ts';
import { Outages } from '../../pipeline/outage.ts';
import { untilItWorks } from '../../pipeline/retry.ts';
import type { Config } from '../../schemas/config.ts';
import { waitUntil } from '../support/live-pipeline.ts';
import { OwnKafka, password, user } from '../support/own-kafka.ts';
import { acquireStack } from '../support/stack.ts';

/** What a reader of committed records finds, up to a record with the key `end`. */
async function committed(kafka: Kafka, topic: string): Promise<KafkaMessage[]> {
  const consumer = kafka.consumer({
    groupId: `read-${randomBytes(4).toString('hex')}`,
    maxWaitTimeInMs: 100,
  });
  const messages: KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ message }) => {
      messages.push(message);
      return Promise.resolve();
    },
  });
  await waitUntil(() => messages.some(({ key }) => key?.toString() === 'end'), 30_000, 'the last record');
  await consumer.disconnect();
  return messages;
}

async function* parts(...output: OutputRecord[][]): AsyncGenerator<OutputRecord[]> {
  for (const part of output) yield await Promise.resolve(part);
}

describe('the transactional producer', () => {
  let kafka: Kafka;
  let admin: Admin;
  let settings: Pick<Config, 'name' | 'kafka'>;
  let topic: string;
  let groupId: string;

  beforeAll(async () => {
    const { brokers } = (await acquireStack()).endpoints.kafka;
    settings = { name: 'producer', kafka: { brokers: [...brokers] } };
    kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
    admin = kafka.admin();
    await admin.connect();
    topic = `producer-${randomBytes(4).toString('hex')}`;
    groupId = `${topic}-group`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  });

  afterAll(async () => {
    await admin.deleteTopics({ topics: [topic] });
    await admin.deleteGroups([groupId]).catch(() => undefined);
    await admin.disconnect();
  });

  const open = (from = settings) =>
    TransactionalProducer.open(new BrokerConnections(from, 'test'), {
      transactionalId: topic,
      groupId,
      topics: [topic],
    });
  const record = (key: string, value: string | null): OutputRecord => ({
    topic,
    key,
    value: value === null ? null : Buffer.from(value),
    headers: { 'lethe-op': value === null ? 'd' : 'u', place: key },
  });
  const offset = (next: bigint) => () => ({ topic, partition: 0, next, metadata: `at ${next}` });

  it('commits records in order, tombstones and headers with them, and the offset with its metadata', async () => {
    const producer = await open();
    const changes = Array.from({ length: 2_500 }, (_, i) => record('row', i % 7 === 6 ? null : `${i}`));
    await producer.commit(
      parts(changes.slice(0, 900), changes.slice(900, 901), changes.slice(901)),
      offset(1n),
    );
    await producer.commit(parts([record('end', 'x')]), offset(2n));
    const read = await committed(kafka, topic);
    expect(read.slice(0, -1).map(({ value }) => value?.toString() ?? null)).toEqual(
      changes.map(({ value }) => value?.toString() ?? null),
    );
    expect(read[6]!.headers).toEqual({ 'lethe-op': Buffer.from('d'), place: Buffer.from('row') });
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(group!.partitions).toEqual([{ partition: 0, offset: '2', metadata: 'at 2' }]);
    await producer.close();
  });

  it('of a holder that was away while another one opened, nothing is seen, neither record nor offset', async () => {
    const zombie = await open();
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let slept = () => {};
    const sleeping = new Promise<void>((resolve) => {
      slept = resolve;
    });
    async function* interrupted(): AsyncGenerator<OutputRecord[]> {
      yield [record('zombie', 'before it slept')];
      slept();
      await asleep;
      yield [record('zombie', 'after it woke')];
    }
    const late = zombie.commit(interrupted(), offset(99n));
    late.catch(() => {});
    await sleeping;
    const holder = await open();
    await holder.commit(parts([record('end', 'y')]), offset(3n));
    wake();
    await expect(late).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await holder.commit(parts([record('end', 'z')]), offset(4n));
    const read = await committed(kafka, topic);
    expect(read.filter(({ key }) => key?.toString() === 'zombie')).toEqual([]);
    const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(group!.partitions[0]!.offset).toBe('4');
    await Promise.all([zombie.close(), holder.close()]);
  });

  it('leaves no trace of output whose making failed, and passes the failure on as it is', async () => {
    const failure = new Error('of the transform');
    async function* failing(): AsyncGenerator<OutputRecord[]> {
      yield await Promise.resolve([record('half', 'done')]);
      throw failure;
    }
    const broken = await open();
    await expect(broken.commit(failing(), offset(50n))).rejects.toBe(failure);
    await broken.close();
    const next = await open();
    await next.commit(parts([record('end', 'again')]), offset(5n));
    const read = await committed(kafka, topic);
    expect(read.filter(({ key }) => key?.toString() === 'half')).toEqual([]);
    await next.close();
  });

  describe('with TLS and a password', () => {
    let own: OwnKafka;

    beforeAll(async () => {
      own = await OwnKafka.start();
      const admin = own.client().admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
      await admin.disconnect();
    });
    afterAll(() => own?.stop());

    it.each(['plain', 'scram-sha-512'] as const)('enters by %s', async (mechanism) => {
      const sasl = { mechanism, username: user, password };
      const secured = { brokers: [own.broker], tls: { ca: own.ca, verify: true }, sasl };
      // A broker that has just started is coordinator of nothing yet; a processor tries again as well.
      const log = createLog('silent');
      const patience = { outages: new Outages(log), signal: AbortSignal.timeout(30_000) };
      const producer = await untilItWorks('kafka', () => open({ name: 'secured', kafka: secured }), patience);
      await producer.commit(parts([record(mechanism, '1'), record('end', '2')]), offset(1n));
      await producer.close();
      const read = await committed(own.client(), topic);
      expect(read.map(({ key }) => key?.toString())).toContain(mechanism);
    });

    it('is refused with a wrong password, which no error says', async () => {
      const wrong = 'a-wrong-password';
      const sasl = { mechanism: 'plain', username: user, password: wrong } as const;
      const secured = { brokers: [own.broker], tls: { ca: own.ca, verify: true }, sasl };
      const refused = await open({ name: 'secured', kafka: secured }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'AUTH_FAILED' });
      expect(String(refused)).not.toContain(wrong);
    });

    it('does not trust a certificate of somebody else', async () => {
      const secured = {
        brokers: [own.broker],
        tls: true,
        sasl: { mechanism: 'plain', username: user, password },
      };
      await expect(open({ name: 'secured', kafka: secured as Config['kafka'] })).rejects.toMatchObject({
        code: 'UNREACHABLE',
      });
    });
  });
});
