import { readFileSync } from 'node:fs';
import kafkajs, { type KafkaMessage } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStatus } from '../../cli/pipeline-status.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { deadLetterTopic } from '../../schemas/names.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const canary = 'zq7_canary_ticket_text';

/** Good rows go on beside bad ones; a bad one is a dead letter that says why and shows nothing. */
describe('dead letters', () => {
  let live: LivePipeline;
  let client: Client;
  let logFile: string;
  const letters: KafkaMessage[] = [];

  beforeAll(async () => {
    live = await LivePipeline.create(await acquireStack(), 'test/fixtures/tickets/lethe.yaml', 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table tickets (id int primary key, customer_id int, text text, due date)');
    await client.query(`insert into tickets values
      (1, 10, '${canary} one', '2026-01-02'), (2, null, '${canary} two', '2026-01-02'),
      (3, 11, '${canary} three', '9999-01-01'), (4, 12, '${canary} four', null)`);
    const { config, datasets } = await live.apply();
    const instance = live.run();
    logFile = instance.logFile;
    await live.ready(instance);
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(120_000) });
    const kafka = new kafkajs.Kafka({ brokers: config.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
    await readTopics(kafka, [deadLetterTopic(config, 'public.tickets')], ({ message }) =>
      letters.push(message),
    );
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('say stage, code and origin', async () => {
    const { config, datasets } = live.project!;
    const { deadLetters } = await readStatus(config, datasets);
    expect(deadLetters.toSorted((a, b) => a.stage.localeCompare(b.stage))).toEqual([
      { table: 'public.tickets', code: 'VALUE_UNREPRESENTABLE', stage: 'clickhouse', count: 1 },
      { table: 'public.tickets', code: 'SUBJECT_MISSING', stage: 'transform', count: 1 },
    ]);
    for (const letter of letters)
      expect(String(letter.key)).toMatch(/^\S+\.public\.tickets\/\d+\/\d+\/[a-z]+$/);
  });

  it('hold the record encrypted: it opens with the dead letters’ key alone', async () => {
    const { config } = live.project!;
    const keys = openKeyStore(config);
    const opener = createPayloadOpener(keys);
    const topic = deadLetterTopic(config, 'public.tickets');
    const opened: string[] = [];
    for (const letter of letters) {
      const { payload } = (await opener.open(letter.value!, topic)) as { payload: Buffer };
      opened.push(payload.toString('latin1'));
    }
    await keys.close();
    // The transform's holds the raw record, the sink's the clean one, whose text stays encrypted for its subject.
    expect(opened.filter((payload) => payload.includes(`${canary} two`))).toHaveLength(1);
    expect(opened.filter((payload) => payload.includes(canary))).toHaveLength(1);
    for (const letter of letters) {
      const clear = Buffer.concat([
        letter.key!,
        letter.value!,
        ...Object.values(letter.headers ?? {}).map((h) => Buffer.from(h as Buffer)),
      ]);
      expect(clear.includes(canary)).toBe(false);
    }
    expect(readFileSync(logFile, 'utf8')).not.toContain(canary);
  });

  it('do not hold up the rows beside them', async () => {
    const { config } = live.project!;
    const url = new URL(live.env['LETHE_CLICKHOUSE_URL']!);
    const auth = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
    const query = `SELECT arraySort(groupArray(id)) FROM ${config.name}.tickets FORMAT TSV`;
    const answer = await fetch(url.origin, { method: 'POST', body: query, headers: { authorization: auth } });
    expect((await answer.text()).trim()).toBe('[1,4]');
  });
});
