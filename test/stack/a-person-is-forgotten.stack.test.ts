import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../stack/package-root.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { clickhouseDatabase, clickhouseTable, indexAlias } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { erasureSteps } from '../../erasure/step.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const customers = `table: public.customers
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete, starts: true }
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  nick: { classification: person.name, action: hash }
  bio: { classification: internal, action: keep }
`;
const orders = `table: public.orders
owner: o
tier: 1
subject: { type: customer, key: customer_id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  note: { classification: internal, action: keep }
  card: { classification: payment.card, action: encrypt }
`;

/** Unlike anything else, and long enough to be told from chance. */
const marked = (what: string) => `${what}-${randomBytes(12).toString('hex')}`;

describe('a person who asks to be forgotten', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let keys: Client;
  let commands: LetheCommands;
  const crash = join(packageRoot(), 'test', 'support', 'erasure-crash.mjs');
  const person = { id: 4_200_042, email: marked('mail'), nick: marked('nick'), bio: marked('bio') };
  const notes = Array.from({ length: 5 }, (_, i) => ({
    id: 9_000_000 + i,
    note: marked('note'),
    card: marked('card'),
  }));
  /** ClickHouse refuses it, so that it lies among the dead letters. */
  const refused = { id: 9_999_999, note: marked('note'), card: marked('card') };
  const canaries: Canary[] = [
    ...[person.email, person.nick, person.bio].map((text) => ({ column: 'customers', text })),
    ...[...notes, refused].flatMap(({ note, card }) =>
      [note, card].map((text) => ({ column: 'orders', text })),
    ),
  ].map(({ column, text }) => ({ table: 'person', column, action: 'encrypt', bytes: [Buffer.from(text)] }));

  const places = () => {
    const { config, contracts } = live.project!;
    return pipelinePlaces(
      config,
      contracts.map(({ contract }) => contract),
      { logs: live.logs() },
    );
  };
  const found = async () => {
    const reports = await scanForCanaries({ places: places(), canaries });
    return Object.fromEntries(reports.map((report) => [report.place, report.found]));
  };

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(
      await acquireStack(),
      { 'customers.yaml': customers, 'orders.yaml': orders },
      2,
    );
    commands = new LetheCommands(live);
    keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    client = new Client({ connectionString: live.source.url });
    await Promise.all([client.connect(), keys.connect()]);
    await client.query('create table customers (id int primary key, email text, nick text, bio text)');
    await client.query(
      'create table orders (id int primary key, customer_id int not null references customers, note text, card text)',
    );
    await client.query('create index on orders (customer_id)');
    await client.query(
      `insert into customers select g, 'm' || g, 'n' || g, 'b' || g from generate_series(1, 200) g`,
    );
    await client.query(
      `insert into orders select g, 1 + g % 200, 'note ' || g, 'card ' || g from generate_series(1, 1000) g`,
    );
    await putIn();
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
    await client.query('update orders set note = note where customer_id = $1', [person.id]);
    await leaveLetter();
    await live.expectEqual();
  }, 300_000);

  async function putIn(): Promise<void> {
    const { id, email, nick, bio } = person;
    await client.query('insert into customers values ($1, $2, $3, $4)', [id, email, nick, bio]);
    for (const order of notes)
      await client.query('insert into orders values ($1, $2, $3, $4)', [
        order.id,
        id,
        order.note,
        order.card,
      ]);
  }

  /** A dead letter of the person, of a row that is gone by now. */
  async function leaveLetter(): Promise<void> {
    const { config } = live.project!;
    const clickhouse = createClickhouseClient(config.clickhouse!);
    try {
      const rows = `${clickhouseDatabase(config)}.${clickhouseTable('public.orders', 1)}`;
      await clickhouse.command({
        query: `ALTER TABLE ${rows} ADD CONSTRAINT one CHECK id != ${refused.id} OR _lethe_deleted = 1`,
      });
    } finally {
      await clickhouse.close();
    }
    const { id, note, card } = refused;
    await client.query('insert into orders values ($1, $2, $3, $4)', [id, person.id, note, card]);
    await waitUntil(async () => (await letters()).length === 1, 60_000, 'a dead letter');
    await client.query('delete from orders where id = $1', [id]);
  }

  async function letters(): Promise<readonly unknown[]> {
    return (await commands.json<{ letters: unknown[] }>('dlq', 'list', '--each')).letters;
  }

  afterAll(async () => {
    await client?.end();
    await keys?.end();
    await live?.close();
  });

  it('is found by the scan before', async () => {
    const before = await found();
    for (const place of ['clean topics', 'elasticsearch documents', 'clickhouse rows']) {
      expect(before[place], place).toBeGreaterThan(0);
    }
  });

  it('is shown what would be done, and nothing is', async () => {
    const { code, out } = await commands.run([
      'erase',
      '--subject',
      `customer:${person.id}`,
      '--reason',
      'Art. 17',
      '--dry-run',
      '--json',
    ]);
    expect(code).toBe(0);
    const planned = JSON.parse(out) as {
      tables: { table: string; rowsAtTheSource: number; records: number }[];
    };
    expect(planned.tables).toMatchObject([
      { table: 'public.customers', rowsAtTheSource: 1, records: 1 },
      { table: 'public.orders', rowsAtTheSource: notes.length, records: notes.length },
    ]);
    await live.expectEqual();
  });

  it('is forgotten: no place has anything of them, and a certificate says so', async () => {
    const args = [
      '--subject',
      `customer:${person.id}`,
      '--reason',
      'Art. 17',
      '--request-id',
      'first',
      '--json',
    ];
    // Two at once: the one works, the other waits for it.
    const runs = await Promise.all([1, 2].map(() => commands.run(['erase', ...args])));
    expect(runs.map(({ code, err }) => (code === 0 ? '' : err))).toEqual(['', '']);
    expect(await letters()).toEqual([]);
    await live.expectEqual();
    const after = await found();
    expect(Object.entries(after).filter(([, count]) => count > 0)).toEqual([]);
    const certificate = await commands.run(['erase', 'certificate', 'first']);
    expect(certificate.code).toBe(0);
  });

  it('is forgotten though the command is killed at each place of each step: one certificate', {
    timeout: 900_000,
  }, async () => {
    const second = { id: 4_300_043, email: marked('mail') };
    await client.query(`insert into customers values ($1, $2, 'n', 'b')`, [second.id, second.email]);
    await client.query('insert into orders values (8000000, $1, $2, $2)', [second.id, marked('note')]);
    await live.expectEqual();
    const args = ['--subject', `customer:${second.id}`, '--reason', 'Art. 17', '--request-id', 'second'];
    for (const step of erasureSteps) {
      for (const point of ['done', 'noted']) {
        const { signal, err: said } = await commands.run(['erase', ...args], {
          LETHE_TEST_CRASH: `${step}/${point}`,
          NODE_OPTIONS: `--import ${crash}`,
        });
        expect({ step, point, signal, err: signal ? '' : said }).toEqual({
          step,
          point,
          signal: 'SIGKILL',
          err: '',
        });
      }
    }
    const { code, out, err } = await commands.run(['erase', 'resume', 'second', '--json']);
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ state: 'done', certificate: 2 });
    const { rows } = await keys.query(
      'select number, request from lethe_erasure.certificates order by number',
    );
    expect(rows).toEqual([
      { number: 1, request: 'first' },
      { number: 2, request: 'second' },
    ]);
    await live.expectEqual();
  });

  it('stays forgotten: replayed, rebuilt, read again from the source with the rows put back', async () => {
    const { config, datasets } = live.project!;
    const nothing = async (what: string) => {
      await waitUntil(async () => Object.values(await found()).every((count) => count === 0), 180_000, what);
    };
    await putIn();
    await waitForSinks(config, datasets, { signal: AbortSignal.timeout(120_000) });
    await nothing('rows that are put back');
    // What Elasticsearch forgets of deletes, it forgets at once.
    const elasticsearch = createElasticsearchClient(config.elasticsearch!);
    const index = datasets.map(({ table }) => indexAlias(config, table));
    await elasticsearch.indices.putSettings({ index, settings: { 'index.gc_deletes': '0s' } });
    await elasticsearch.close();
    const retried = await commands.run(['dlq', 'retry', '--all']);
    expect(retried.code, retried.err).toBe(0);
    for (const table of ['customers', 'orders']) {
      for (const args of [
        ['replay', table, '--from', '0'],
        ['rebuild', 'elasticsearch', table, '--snapshot'],
        ['rebuild', 'elasticsearch', table, '--confirm'],
        ['rebuild', 'clickhouse', table, '--snapshot'],
        ['rebuild', 'clickhouse', table, '--confirm'],
      ]) {
        const { code, err } = await commands.run([...args]);
        expect(code, `${args.join(' ')}: ${err}`).toBe(0);
      }
    }
    await nothing('a replay, a fresh snapshot and rebuilt stores');
    await live.expectEqual();
    const reconciled = await commands.run(['reconcile', 'orders', '--json']);
    expect(reconciled.code, reconciled.out).toBe(0);
  });

  it('cannot be brought back by a tampered certificate, nor by one that another key signed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-certificates-'));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const { out: key } = await commands.run(['erase', 'certificate-key']);
    const { out: text } = await commands.run(['erase', 'certificate', 'first']);
    expect(text).not.toContain(String(person.id));
    for (const { bytes } of canaries) expect(text).not.toContain(Buffer.from(bytes[0]!).toString());
    const pem = file('key.pem', key);
    const verified = (path: string) => commands.bare(['erase', 'verify-certificate', path, '--key', pem]);
    expect((await verified(file('good.json', text))).code).toBe(0);
    expect((await verified(file('bad.json', text.replace('"found":0', '"found":1')))).code).toBe(1);
    rmSync(folder, { recursive: true });
  });

  it('is asked for in another way, and taken back in time', async () => {
    const unknown = await commands.run(['erase', '--subject', 'nobody:1', '--reason', 'r']);
    expect(unknown).toMatchObject({
      code: 1,
      err: expect.stringMatching('no contract has rows of a nobody'),
    });
    const late = await commands.run(['erase', 'cancel', 'first']);
    expect(late).toMatchObject({ code: 1, err: expect.stringMatching('cannot be taken back') });
    const third = ['--subject', 'customer:77', '--reason', 'r', '--request-id', 'third'];
    const env = { LETHE_TEST_CRASH: 'suppressed/noted', NODE_OPTIONS: `--import ${crash}` };
    expect((await commands.run(['erase', ...third], env)).signal).toBe('SIGKILL');
    await client.query(`update customers set bio = 'changed while suppressed' where id = 77`);
    await waitForSinks(live.project!.config, live.project!.datasets, {
      signal: AbortSignal.timeout(120_000),
    });
    const cancelled = await commands.run(['erase', 'cancel', 'third']);
    expect(cancelled.code, cancelled.err).toBe(0);
    const { rowCount } = await keys.query(`select from lethe_keys.suppressed where request = 'third'`);
    expect(rowCount).toBe(0);
    const { rows } = await keys.query(
      `select state, sealed, key_gone from lethe_erasure.requests where id = 'third'`,
    );
    expect(rows).toEqual([{ state: 'cancelled', sealed: null, key_gone: true }]);
    // What became a delete meanwhile is back.
    await live.expectEqual();
  });

  it('is final once the epoch has ended, and a second certificate says so', async () => {
    const turned = await commands.run(['keys', 'turn', '--json']);
    expect(turned.code, turned.err).toBe(0);
    expect(JSON.parse(turned.out)).toMatchObject({
      certificates: [
        { request: 'first', certificate: 3 },
        { request: 'second', certificate: 4 },
      ],
    });
    const { out } = await commands.run(['erase', 'certificate', 'first']);
    expect(JSON.parse(out)).toMatchObject({ certificate: { number: 3, finality: { state: 'final' } } });
  });

  it('waits while a hold is on them, and goes on when it is released', async () => {
    const held = ['--subject', 'customer:88'];
    const hold = await commands.run(['erase', 'hold', ...held, '--basis', 'case 4 O 17/26']);
    expect(hold.code, hold.err).toBe(0);
    const planned = await commands.run(['erase', ...held, '--reason', 'r', '--dry-run']);
    expect(planned.out).toContain('error: the person is under a legal hold: case 4 O 17/26');
    const asked = await commands.run(['erase', ...held, '--reason', 'r', '--request-id', 'held']);
    expect(asked).toMatchObject({
      code: 1,
      err: expect.stringMatching('under a legal hold: case 4 O 17/26'),
    });
    const suppressed = await keys.query(`select from lethe_keys.suppressed where request = 'held'`);
    expect(suppressed.rowCount).toBe(0);
    expect((await commands.run(['erase', 'release', ...held])).code).toBe(0);
    const resumed = await commands.run(['erase', 'resume', 'held', '--json']);
    expect(resumed.code, resumed.err).toBe(0);
    expect(JSON.parse(resumed.out)).toMatchObject({ state: 'done' });
  });

  it('is forgotten because the application deleted their own row', async () => {
    await client.query('delete from orders where customer_id = 99');
    await client.query('delete from customers where id = 99');
    const open = async () =>
      (
        await keys.query<{ id: string }>(
          `select id from lethe_erasure.requests where state = 'open' and requested_by = 'lethe:source-delete'`,
        )
      ).rows;
    await waitUntil(async () => (await open()).length === 1, 60_000, 'the request');
    const done = await commands.run(['erase', 'resume', (await open())[0]!.id, '--json']);
    expect(done.code, done.err).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({ state: 'done' });
    await live.expectEqual();
    expect(await open()).toEqual([]);
  });

  it('comes back only when two others approve, under a new key', async () => {
    const token = async (name: string) => {
      const made = await commands.run(['access', 'add', name, '--role', 'compliance', '--json']);
      expect(made.code, made.err).toBe(0);
      const issued = await commands.run(['access', 'token', name, '--json']);
      return { LETHE_TOKEN: (JSON.parse(issued.out) as { text: string }).text };
    };
    const [officer, second, third] = [await token('officer'), await token('second'), await token('third')];
    const readmit = ['readmit', '--subject', `customer:${person.id}`, '--json'];
    expect(await commands.run(readmit, officer)).toMatchObject({
      code: 1,
      err: expect.stringMatching('ACCESS_REFUSED'),
    });
    const asked = await commands.run(
      ['glass', 'ask', '--for', 'readmit', '--reason', 'customer again', '--json'],
      officer,
    );
    expect(asked.code, asked.err).toBe(0);
    const { id } = JSON.parse(asked.out) as { id: string };
    for (const by of [second, third]) {
      const approved = await commands.run(['glass', 'approve', id], by);
      expect(approved.code, approved.err).toBe(0);
    }
    const done = await commands.run(readmit, officer);
    expect(done.code, done.err).toBe(0);
    const { keyId, rows } = JSON.parse(done.out) as { keyId: string; rows: number };
    expect(rows).toBe(1 + notes.length);
    const old = await keys.query<{ wrapped: Buffer | null }>(
      `select wrapped from lethe_keys.data_keys where destroyed_at is not null and key_id <> $1`,
      [keyId],
    );
    expect(old.rows.every(({ wrapped }) => wrapped === null)).toBe(true);
    await live.expectEqual();
    const back = await found();
    expect(back['elasticsearch documents']).toBeGreaterThan(0);
  });
});
