import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exported, LetheCommands } from '../support/lethe-commands.ts';
import { pinnedKey, verifyCertificates } from '../../erasure/verify-certificate.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const customers = `table: public.customers
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  born: { classification: person.birth, action: encrypt }
  prefs:
    classification: internal
    action: paths
    paths:
      phone: { action: encrypt }
      theme: { action: keep }
  secret: { classification: internal, action: drop }
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
  total: { classification: internal, action: keep }
`;

const total = '9007199254740993';

describe('the duties beside the erasure', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let keys: Client;
  const person = { id: 4_200_042, email: `mail-${randomBytes(8).toString('hex')}`, born: '1970-02-03' };
  let commands: LetheCommands;

  async function audited(action: string): Promise<Record<string, unknown>[]> {
    const { rows } = await keys.query<{ details: Record<string, unknown> }>(
      'select details from lethe_keys.audit where action = $1 order by seq',
      [action],
    );
    return rows.map(({ details }) => details);
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(
      await acquireStack(),
      { 'customers.yaml': customers, 'orders.yaml': orders },
      2,
    );
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(
      'create table customers (id int primary key, email text, born date, prefs jsonb, secret text)',
    );
    await client.query(
      'create table orders (id int primary key, customer_id int not null references customers, total bigint)',
    );
    await client.query('create index on orders (customer_id)');
    await client.query(
      `insert into customers select g, 'm' || g, date '2000-01-01' + g, '{"phone": "0", "theme": "light"}', 's'
         from generate_series(1, 100) g`,
    );
    await client.query(`insert into orders select g, 1 + g % 100, g from generate_series(1, 300) g`);
    await client.query('insert into customers values ($1, $2, $3, $4, $5)', [
      person.id,
      person.email,
      person.born,
      { phone: '0049 30 1234', theme: 'dark' },
      'kept from all',
    ]);
    for (let i = 0; i < 3; i++)
      await client.query('insert into orders values ($1, $2, $3)', [9_000_000 + i, person.id, total]);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
    keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
  }, 300_000);
  afterAll(async () => {
    await commands?.stopServing();
    await keys?.end();
    await client?.end();
    await live?.close();
  });

  it('give a person everything that is known of him, in the clear, in a file of his own', async () => {
    const file = join(live.folder, 'export.json');
    const counts = await commands.json<Record<string, number>>(
      'export',
      '--subject',
      `customer:${person.id}`,
      '--out',
      file,
    );
    expect(counts).toMatchObject({ tables: 2, rows: 4, documents: 8, decrypted: 6, erased: 0, sealed: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { tables } = JSON.parse(readFileSync(file, 'utf8')) as Exported;
    const [own, bought] = tables;
    expect(own!.source).toMatchObject([
      { id: String(person.id), email: person.email, born: person.born, secret: 'kept from all' },
    ]);
    for (const store of ['elasticsearch', 'clickhouse'] as const) {
      expect(own!.stores[store]).toMatchObject([{ email: person.email, born: person.born }]);
      expect(own!.stores[store][0]).not.toHaveProperty('secret');
      expect(JSON.stringify(own!.stores[store][0]!['prefs'])).toContain('0049 30 1234');
      // No digit is lost.
      expect(bought!.stores[store].map((row) => row['total'])).toEqual([total, total, total]);
    }
    expect(await audited('subject-exported')).toMatchObject([{ type: 'customer', rows: 4, documents: 8 }]);
    const again = await commands.run(['export', '--subject', `customer:${person.id}`, '--out', file]);
    expect(again.code).toBe(1);
  });

  it('restrict a person: gone downstream, whole at the source, and back after it under the same key', async () => {
    const keyOf = async () => {
      const { rows } = await keys.query<{ id: string }>(
        `select string_agg(key_id::text, ',' order by key_id) as id from lethe_keys.data_keys where wrapped is not null
            and key_id in (select key_id from lethe_keys.subjects where subject_type = 'customer')`,
      );
      return rows[0]!.id;
    };
    const before = await keyOf();
    const restrict = ['restrict', '--subject', `customer:${person.id}`];
    const done = await commands.json<Record<string, unknown>>(
      ...restrict,
      '--reason',
      'accuracy is contested',
    );
    expect(done).toMatchObject({ state: 'restricted', records: 4 });
    expect(await commands.countsOf(person.id)).toEqual([
      [1, 0, 0],
      [3, 0, 0],
    ]);
    // What happens at the source meanwhile stays there.
    await client.query('update orders set total = total + 1 where id = 9000000');
    await client.query('insert into orders values (9000009, $1, 7)', [person.id]);
    const other = await client.query<{ id: number }>(
      'update orders set total = 77 where id = 5 returning id',
    );
    expect(other.rowCount).toBe(1);
    await waitUntil(
      async () =>
        (await commands.exported(6)).tables[1]!.stores.clickhouse.some((row) => row['total'] === '77'),
      60_000,
      'a change of somebody else',
    );
    expect(await commands.countsOf(person.id)).toEqual([
      [1, 0, 0],
      [4, 0, 0],
    ]);
    // Twice is once.
    expect(await commands.json(...restrict, '--reason', 'again')).toMatchObject({
      restriction: done['restriction'],
    });
    expect(await commands.json(...restrict, '--lift')).toMatchObject({
      state: 'lifted',
      restriction: done['restriction'],
      rows: 5,
    });
    await waitUntil(
      async () => (await commands.countsOf(person.id)).flat().join() === '1,1,1,4,4,4',
      120_000,
      'the rows come back',
    );
    await live.expectEqual();
    expect(await keyOf()).toBe(before);
    const [own] = (await commands.exported(person.id)).tables;
    expect(own!.stores.elasticsearch).toMatchObject([{ email: person.email }]);
    expect((await commands.run([...restrict, '--lift'])).code).toBe(1);
    expect((await audited('restriction-lifted')).length).toBe(1);
  });

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  let privacy = '';
  let auditor = '';

  it('take requests over HTTP from whoever has a token and the right', async () => {
    const add = await commands.json<{ token: { text: string } }>(
      'access',
      'add',
      'privacy',
      '--role',
      'compliance',
    );
    privacy = add.token.text;
    const withToken = { LETHE_TOKEN: privacy };
    expect((await commands.run(['access', 'add', 'looker', '--role', 'auditor'], withToken)).code).toBe(0);
    const made = await commands.run(['access', 'token', 'looker', '--json'], withToken);
    auditor = (JSON.parse(made.out) as { text: string }).text;

    const url = await commands.serve('--no-erasures');
    const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const filing = {
      subject: { type: 'customer', id: '11' },
      reason: 'Art. 17',
      requestId: 'by-http',
      receivedAt: new Date(Date.now() - 27 * 86_400_000).toISOString(),
      identity: 'ticket 4711',
    };
    expect((await post('/v1/erasures', filing)).status).toBe(401);
    expect((await post('/v1/erasures', filing, bearer(auditor))).status).toBe(403);
    expect(await audited('access-refused')).toMatchObject([
      { for: 'erase:request', why: 'malformed' },
      { for: 'erase:request', why: 'role' },
    ]);
    expect((await post('/v1/erasures', { ...filing, reason: '' }, bearer(privacy))).status).toBe(400);
    const filed = await post('/v1/erasures', filing, bearer(privacy));
    expect(filed).toMatchObject({
      status: 202,
      body: { request: 'by-http', state: 'open', requestedBy: 'privacy', identity: 'ticket 4711' },
    });
    expect((await post('/v1/erasures', filing, bearer(privacy))).body['request']).toBe('by-http');
    const another = { ...filing, subject: { type: 'customer', id: '12' } };
    expect((await post('/v1/erasures', another, bearer(privacy))).status).toBe(409);
    expect((await post('/v1/erasures', { ...another, requestId: 'mistake' }, bearer(privacy))).status).toBe(
      202,
    );
    expect(await post('/v1/erasures/mistake/cancel', {}, bearer(privacy))).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    const listed = await fetch(`${url}/v1/erasures`, { headers: bearer(auditor) });
    const { requests } = (await listed.json()) as { requests: { request: string }[] };
    expect(requests.map(({ request }) => request)).toEqual(['by-http', 'mistake']);
    expect((await fetch(`${url}/v1/erasures/by-http/certificate`, { headers: bearer(auditor) })).status).toBe(
      404,
    );
    const health = (await (await fetch(`${url}/health`)).json()) as { erasures: unknown };
    expect(health.erasures).toMatchObject({ open: 1, nearDeadline: 1 });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const age = Number(/^lethe_erasure_oldest_open_age_seconds (\S+)$/m.exec(metrics)?.[1]);
    expect(age).toBeGreaterThanOrEqual(27 * 86_400);
    expect(metrics).toMatch(/^lethe_erasures_near_deadline 1$/m);
    expect(metrics).not.toContain('by-http');
    await commands.stopServing();
  });

  it('shout about a deadline, put it off once, and refuse with a ground', async () => {
    const status = await commands.run(['status']);
    expect(status.code).toBe(1);
    expect(status.out).toMatch(/ALARM[^]*request by-http/);
    const late = await commands.json<{ deadline: string; receivedAt: string }>(
      'erase',
      'extend',
      'by-http',
      '--reason',
      'many',
    );
    expect(Date.parse(late.deadline) - Date.parse(late.receivedAt)).toBeGreaterThan(88 * 86_400_000);
    expect((await commands.run(['erase', 'extend', 'by-http', '--reason', 'more'])).code).toBe(1);
    const after = await commands.run(['status', '--json']);
    expect((JSON.parse(after.out) as { erasures: { alarms: unknown[] } }).erasures.alarms).toEqual([]);

    const url = await commands.serve('--no-erasures');
    await fetch(`${url}/v1/erasures`, {
      method: 'POST',
      headers: bearer(privacy),
      body: JSON.stringify({
        subject: { type: 'customer', id: '13' },
        reason: 'Art. 17',
        requestId: 'unfounded',
      }),
    });
    await commands.stopServing();
    const refused = await commands.json<Record<string, unknown>>(
      'erase',
      'refuse',
      'unfounded',
      '--ground',
      'Art. 17(3)(b): the tax law',
    );
    expect(refused).toMatchObject({ state: 'refused', ground: 'Art. 17(3)(b): the tax law' });
    expect((await commands.run(['erase', 'cancel', 'unfounded'])).code).toBe(1);
    expect(await commands.countsOf(13)).toEqual([
      [1, 1, 1],
      [3, 3, 3],
    ]);
  });

  it('file the requests of a CSV file together, and none of a file that is wrong', async () => {
    const file = join(live.folder, 'requests.csv');
    writeFileSync(file, 'subject_type,subject_id,request_id\ncustomer,21,b-1\ncustomer,22,by-http\n');
    const refused = await commands.run(['erase', 'batch', file, '--reason', 'Art. 17']);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('line 3');
    expect((await commands.run(['erase', 'status', 'b-1'])).code).toBe(1);

    writeFileSync(file, 'subject_type,subject_id,request_id\ncustomer,21,b-1\ncustomer,22,\n');
    const { requests } = await commands.json<{
      requests: { line: number; request: string; state: string }[];
    }>('erase', 'batch', file, '--reason', 'Art. 17');
    expect(requests).toMatchObject([
      { line: 2, request: 'b-1', state: 'done' },
      { line: 3, state: 'done' },
    ]);
    for (const id of [21, 22])
      expect(await commands.countsOf(id)).toEqual([
        [0, 0, 0],
        [0, 0, 0],
      ]);
    await live.expectEqual();
  });

  it('carry out what was filed over HTTP, in the background', async () => {
    const url = await commands.serve();
    const request = async () => {
      const response = await fetch(`${url}/v1/erasures/by-http`, { headers: bearer(auditor) });
      return ((await response.json()) as { state: string }).state;
    };
    await waitUntil(async () => (await request()) === 'done', 300_000, 'the erasure');
    const answer = await fetch(`${url}/v1/erasures/by-http/certificate`, { headers: bearer(auditor) });
    const certificate = join(live.folder, 'certificate.json');
    writeFileSync(certificate, await answer.text());
    await commands.stopServing();
    const key = join(live.folder, 'key.pem');
    writeFileSync(key, (await commands.run(['erase', 'certificate-key'])).out);
    const [issued] = verifyCertificates(
      [readFileSync(certificate, 'utf8')],
      pinnedKey(readFileSync(key, 'utf8')),
    );
    expect(issued).toMatchObject({ ok: true, document: { certificate: { request: 'by-http' } } });
    expect(await commands.countsOf(11)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});
