import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dlqCommand } from '../../cli/dlq.ts';
import { exportCommand } from '../../cli/export.ts';
import type { ExportedLetter } from '../../cli/export/letters.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { clickhouseTable, deadLetterTopic, rawTopic, signalTable } from '../../schemas/names.ts';
import { topicSpecs } from '../../connectors/kafka/topic-settings.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';
import { unseen } from '../support/unseen.ts';

const canary = 'zq7_canary_letter';
const head = (table: string) =>
  `table: public.${table}\nowner: o\ntier: 1\nsubject: { type: customer, key: customer_id }\n` +
  `sinks: [elasticsearch, clickhouse]\nstaleness: 30s\ncolumns:\n`;
const contracts = {
  'people.yaml': `${head('people')}  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
  card: { classification: payment.card, action: format-preserving, alphabet: digits }
  due: { classification: internal, action: keep }
`,
  'logins.yaml': `${head('logins')}  email: { classification: person.contact, action: hash }
  day: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
};

interface Group {
  readonly table: string;
  readonly stage: string;
  readonly code: string;
  readonly count: number;
}

/** What is retried is the row as it is now: both stores end equal to the source, however often and after whatever it is done. */
describe('dead letters', () => {
  let live: LivePipeline;
  let client: Client;
  const said: string[] = [];
  const config = () => live.project!.config;

  /** Runs the command; what it says must never hold a value, unless it was asked for. */
  async function dlq(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
    const [verb, ...rest] = args;
    const result = await runCommand(dlqCommand(), [verb!, '-c', live.configPath, ...rest], {
      ...live.env,
      ...env,
    });
    if (!args.includes('--payload') || result.code !== 0) said.push(result.out, result.err);
    return result;
  }

  async function json<T>(...args: string[]): Promise<T> {
    const { out, err } = await dlq([...args, '--json']);
    if (out === '') throw new Error(err);
    return JSON.parse(out) as T;
  }

  const groups = async (): Promise<string[]> =>
    (await json<{ deadLetters: Group[] }>('list')).deadLetters.map(
      ({ table, stage, code, count }) => `${table} ${stage} ${code} ${count}`,
    );

  const arrived = () =>
    waitForSinks(config(), live.project!.datasets, { signal: AbortSignal.timeout(120_000) });

  async function clickhouse(query: string): Promise<void> {
    const url = new URL(live.env['LETHE_CLICKHOUSE_URL']!);
    const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
    const answer = await fetch(url.origin, { method: 'POST', body: query, headers: { authorization } });
    expect(answer.status, await answer.text()).toBe(200);
  }

  const rows = () => `${config().name}.${clickhouseTable('public.people', 1)}`;

  /** Every record that a topic still has, as Kafka gives it. */
  async function recordsOf(topic: string): Promise<{ key: string; value: Buffer | null }[]> {
    const kafka = new kafkajs.Kafka({ brokers: config().kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
    const found: { key: string; value: Buffer | null }[] = [];
    await readTopics(kafka, [topic], ({ message: { key, value } }) =>
      found.push({ key: String(key), value }),
    );
    return found;
  }

  /** What else happens within ten minutes. */
  async function compactAtOnce(topic: string): Promise<void> {
    const kafka = new kafkajs.Kafka({ brokers: config().kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const { settings } = topicSpecs(config(), live.project!.datasets).find((spec) => spec.topic === topic)!;
    const configEntries = Object.entries({ ...settings, 'max.compaction.lag.ms': '1000' }).map(
      ([name, value]) => ({ name, value }),
    );
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    await admin.alterConfigs({ validateOnly: false, resources: [{ type, name: topic, configEntries }] });
    await admin.disconnect();
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table people (id int primary key, customer_id int, note text, card text, due date);
      create table logins (email text, day date, customer_id int, note text, primary key (email, day));
      insert into people select n, n, '${canary} ' || n, '4111111111111111', '2026-01-02' from generate_series(1, 6) n;
      insert into logins values ('${canary}@a.example', '2026-01-02', 1, 'x')`);
    await live.apply();
    await live.ready(live.run());
    await arrived();
    await clickhouse(`ALTER TABLE ${rows()} ADD CONSTRAINT six CHECK id != 6 OR due = '2026-01-02'`);
    await client.query(`
      update people set customer_id = null where id in (2, 4);
      update people set card = '${canary}' where id = 3;
      update people set due = '2026-02-03' where id = 6;
      insert into people values (7, 7, '${canary} 7', '4111111111111111', '9999-01-01'), (8, null, '${canary} 8', '1234567', null);
      insert into logins values ('${canary}@b.example', '2026-01-02', null, 'x')`);
    await arrived();
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('are counted by table, stage and code, each with its playbook', async () => {
    expect(await groups()).toEqual([
      'public.logins transform SUBJECT_MISSING 1',
      'public.people clickhouse RECORD_REJECTED 1',
      'public.people clickhouse VALUE_UNREPRESENTABLE 1',
      'public.people transform SUBJECT_MISSING 3',
      'public.people transform VALUE_UNPROTECTABLE 1',
    ]);
    const { out } = await dlq(['list', '--code', 'RECORD_REJECTED']);
    expect(out).toContain('docs/playbooks/record-rejected.md');
    expect((await dlq(['list', '--table', 'people', '--each'])).out.trim().split('\n')).toHaveLength(7);
  });

  it('are told to the person whose rows they are about, and to nobody else', async () => {
    const lettersOf = async (person: string) => {
      const args = ['--subject', person, '-c', live.configPath];
      const { out, err, code } = await runCommand(exportCommand(), args, live.env);
      expect(code, err).toBe(0);
      const { tables } = JSON.parse(out) as { tables: { letters: ExportedLetter[] }[] };
      return tables.flatMap(({ letters }) => letters);
    };
    const [letter, ...more] = await lettersOf('customer:3');
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ stage: 'transform', code: 'VALUE_UNPROTECTABLE' });
    expect(letter!.content).toMatchObject({ state: 'readable', value: { after: { id: 3, card: canary } } });
    expect(await lettersOf('customer:6')).toMatchObject([{ stage: 'clickhouse', code: 'RECORD_REJECTED' }]);
    expect(await lettersOf('customer:1')).toEqual([]);
  });

  it('show what they hold to those alone who may decrypt', async () => {
    const { letters } = await json<{ letters: { id: string }[] }>(
      'list',
      '--each',
      '--code',
      'VALUE_UNPROTECTABLE',
    );
    const { id } = letters[0]!;
    expect(id).toMatch(/^public\.people\/transform\/\d+\/\d+$/);
    expect((await dlq(['show', id])).out).toContain('VALUE_UNPROTECTABLE');
    const { payload } = JSON.parse((await dlq(['show', id, '--payload', '--json'])).out) as {
      payload: { key: unknown; value: { after: Record<string, unknown> } };
    };
    expect(payload.key).toEqual({ id: 3 });
    expect(payload.value.after).toMatchObject({ id: 3, card: canary });
    const otherMaster = { LETHE_MASTER_FILE: join(tmpdir(), 'lethe-no-such-master.json') };
    expect((await dlq(['show', id], otherMaster)).code).toBe(0);
    const refused = await dlq(['show', id, '--payload'], otherMaster);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('the right to decrypt');
    expect((await dlq(['show', 'people/transform/0/999999'])).code).toBe(2);
  });

  it('must be named to be tried again or given up', async () => {
    expect((await dlq(['retry'])).code).toBe(2);
    expect((await dlq(['discard'])).code).toBe(2);
    expect((await dlq(['discard', '--all'])).code).toBe(2);
    expect(await groups()).toHaveLength(5);
  });

  it('that fail again stay, and say so', async () => {
    const { retried, open } = await json<{
      retried: (Group & { outcome: string; now?: string })[];
      open: number;
    }>('retry', '--stage', 'clickhouse');
    expect(retried.map(({ code, outcome, now }) => [code, outcome, now])).toEqual([
      ['RECORD_REJECTED', 'rejected', 'RECORD_REJECTED'],
      ['VALUE_UNREPRESENTABLE', 'rejected', 'VALUE_UNREPRESENTABLE'],
    ]);
    expect(open).toBe(2);
    // A row of which nothing has changed comes back from the source, and fails as before: as one letter.
    await dlq(['retry', '--table', 'people', '--code', 'SUBJECT_MISSING']);
    await waitUntil(
      async () => (await groups()).includes('public.people transform SUBJECT_MISSING 3'),
      60_000,
      'the letters of rows that fail again',
    );
  });

  it('bring the row as the source has it now, or its delete, to both stores', async () => {
    await clickhouse(`ALTER TABLE ${rows()} DROP CONSTRAINT six`);
    // Nobody is told: only a retry can bring it.
    await unseen(
      client,
      config(),
      'people',
      `update people set customer_id = 22 where id = 2;
       update people set card = '5500000000000004' where id = 3;
       delete from people where id = 4;
       update people set customer_id = 8 where id = 8`,
    );
    await unseen(client, config(), 'logins', `update logins set customer_id = 2 where customer_id is null`);
    await client.query(`update people set due = '2026-03-04' where id = 7`);
    await arrived();
    const { retried, open } = await json<{ retried: { outcome: string; count: number }[]; open: number }>(
      'retry',
      '--all',
    );
    expect(open).toBe(0);
    const counts = new Map<string, number>();
    for (const { outcome, count } of retried) counts.set(outcome, (counts.get(outcome) ?? 0) + count);
    expect(Object.fromEntries(counts)).toEqual({ requested: 4, deleted: 1, written: 2 });
    const all = () =>
      live.expectEqual(60_000).then(
        () => true,
        () => false,
      );
    await waitUntil(all, 60_000, 'rows that are read again');
    expect(await groups()).toEqual([]);
  });

  it('change nothing when they are retried again, whatever came meanwhile', async () => {
    expect((await dlq(['retry', '--all'])).out).toContain('no dead letter to retry');
    // As if the first try had been killed before it settled them: one row lives on, one was deleted, one came back.
    await client.query(`update people set customer_id = null where id in (2, 3, 8)`);
    await arrived();
    const { letters } = await json<{ letters: { id: string }[] }>('list', '--each');
    expect(letters).toHaveLength(3);
    await client.query(`
      update people set customer_id = 2, note = '${canary} newer' where id = 2;
      delete from people where id in (3, 8);
      insert into people values (8, 9, '${canary} back', '1234567', null)`);
    await dlq(['retry', letters[0]!.id, letters[1]!.id]);
    await dlq(['retry', letters[2]!.id, letters[0]!.id]);
    await arrived();
    await live.expectEqual();
    expect(await groups()).toEqual([]);
  });

  it('that are discarded are gone, and so are their bytes', async () => {
    await client.query(`insert into people values (9, null, '${canary} 9', '1234567', null)`);
    await arrived();
    const { letters } = await json<{ letters: { id: string }[] }>('list', '--each');
    expect((await dlq(['discard', letters[0]!.id])).out).toContain('1 dead letters discarded');
    expect((await dlq(['discard', letters[0]!.id])).out).toContain('not open');
    expect((await dlq(['discard', '--all', '--yes'])).code).toBe(0);
    expect(await groups()).toEqual([]);
    const topic = deadLetterTopic(config(), 'public.people');
    await compactAtOnce(topic);
    const held = async () => (await recordsOf(topic)).filter(({ value }) => value !== null).length;
    await waitUntil(async () => (await held()) === 0, 60_000, 'compaction of the settled letters');
    await client.query('delete from people where id = 9');
    await arrived();
    await live.expectEqual();
  });

  it('show no value to anybody who did not ask for it', async () => {
    expect(said.length).toBeGreaterThan(20);
    for (const text of said) expect(text).not.toContain(canary);
    const signals = await recordsOf(rawTopic(config(), signalTable(config())));
    expect(signals.length).toBeGreaterThan(0);
    for (const { value } of signals) expect(value?.includes(canary) ?? false).toBe(false);
    // The signals themselves leave nothing behind at the source; Debezium's own marks hold no key.
    const { rows: left } = await client.query(
      `select 1 from ${signalTable(config())} where id like 'lethe-retry-%' or data like '%${canary}%'`,
    );
    expect(left).toEqual([]);
  });
});
