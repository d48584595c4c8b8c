import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkedWork } from '../../cli/erase/checked.ts';
import { planErasure } from '../../cli/erase/plan-erasure.ts';
import { type ErasureNotice, keysToErase } from '../../client/erasure-notice.ts';
import type { CertificateDocument } from '../../erasure/certificate-document.ts';
import { writeNotices } from '../../erasure/notice-topic.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import { noticeTopic } from '../../schemas/names.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { LetheCommands, type Ran } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const table = (name: string, subject: string, columns: string) => `table: public.${name}
owner: o
tier: 1
subject: { type: customer, key: ${subject} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: delete }
columns:
  id: { classification: internal, action: keep }
${columns}`;
const contracts = {
  'customers.yaml': table(
    'customers',
    'id',
    '  email: { classification: person.contact, action: encrypt }\n',
  ),
  'orders.yaml': table(
    'orders',
    'customer_id',
    '  customer_id: { classification: person.id, action: keep }\n',
  ),
  'wishes.yaml': table(
    'wishes',
    'customer_id',
    '  customer_id: { classification: person.id, action: keep }\n',
  ),
};
const erasure = `erasure:
  approvals: 1
  recipients:
    - { name: billing, principal: accounts, tables: [public.customers, public.orders] }
    - { name: printer, tables: [public.orders] }
    - { name: stranger, tables: [public.wishes] }
`;

interface Shown {
  readonly state: string;
  readonly step: string;
  readonly steps: readonly { readonly step: string; readonly evidence: Record<string, unknown> }[];
  readonly approvals: { readonly missing: number; readonly given: readonly { readonly by: string }[] };
  readonly recipients?: readonly Record<string, unknown>[];
}

/** A person with two orders; nobody has wishes. */
const person = { id: 4_200_042, orders: ['9000000', '9000001'] };

describe('an erasure that another approves, and recipients who are told of it', { timeout: 900_000 }, () => {
  let live: LivePipeline;
  let commands: LetheCommands;
  let client: Client;
  let keys: Client;
  let url: string;
  const tokens = new Map<string, string>();

  const as = (who: string, ...args: string[]): Promise<Ran> =>
    commands.run(args, { LETHE_TOKEN: tokens.get(who) ?? '' });
  const done = async <T>(who: string, ...args: string[]): Promise<T> => {
    const { code, out, err } = await as(who, ...args, '--json');
    expect(code, `${args.join(' ')}: ${err}`).toBe(0);
    return JSON.parse(out) as T;
  };
  const post = async (who: string, path: string, body: unknown = {}) => {
    const headers = { authorization: `Bearer ${tokens.get(who)}` };
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const status = (id: string) => done<Shown>('privacy', 'erase', 'status', id);
  const lastRefusal = async () => {
    const { rows } = await keys.query<{ principal: string; why: string }>(
      `select principal, details->>'why' as why from lethe_keys.audit where action = 'access-refused' order by seq desc limit 1`,
    );
    return rows[0];
  };
  /** All that was ever written to the topic and is there yet, in order; a tombstone has no value. */
  async function topic(): Promise<{ key: string; text: string | undefined }[]> {
    const { config } = live.project!;
    const reader = new CommittedReader(new BrokerConnections(config, 'test'));
    const found: { key: string; text: string | undefined }[] = [];
    try {
      await reader.readAll(noticeTopic(config), 0, ({ key, value }) => {
        found.push({ key, text: value?.toString() });
      });
      return found;
    } finally {
      await reader.close();
    }
  }
  const certificateOf = async (id: string) => {
    const { out } = await as('privacy', 'erase', 'certificate', id);
    return (JSON.parse(out) as CertificateDocument).certificate;
  };

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    appendFileSync(live.configPath, erasure);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table customers (id int primary key, email text)');
    for (const name of ['orders', 'wishes'])
      await client.query(
        `create table ${name} (id int primary key, customer_id int not null references customers);
         create index on ${name} (customer_id)`,
      );
    await client.query(`insert into customers select g, 'mail ' || g from generate_series(1, 60) g`);
    await client.query('insert into orders select g, 1 + g % 60 from generate_series(1, 120) g');
    await client.query('insert into wishes select g, 1 + g % 30 from generate_series(1, 30) g');
    await client.query(`insert into customers values ($1, 'somebody')`, [person.id]);
    for (const id of person.orders) await client.query('insert into orders values ($1, $2)', [id, person.id]);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
    keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
    const first = await done<{ token: { text: string } }>(
      '',
      'access',
      'add',
      'privacy',
      '--role',
      'compliance',
    );
    tokens.set('privacy', first.token.text);
    for (const [name, role] of [
      ['officer', 'compliance'],
      ['ops', 'engineer'],
      ['accounts', 'consumer'],
      ['billing', 'consumer'],
      ['printer', 'consumer'],
    ] as const) {
      await done('privacy', 'access', 'add', name, '--role', role);
      tokens.set(name, (await done<{ text: string }>('privacy', 'access', 'token', name)).text);
    }
    url = await commands.serve();
  }, 300_000);
  afterAll(async () => {
    await commands?.stopServing();
    await keys?.end();
    await client?.end();
    await live?.close();
  });

  it('waits: nobody carries it out before, and nothing is known to be done', async () => {
    const subject = { type: 'customer', id: String(person.id) };
    const filed = await post('privacy', '/v1/erasures', { subject, reason: 'Art. 17', requestId: 'first' });
    expect(filed).toMatchObject({ status: 202, body: { approvals: { needed: 1, missing: 1 } } });
    const resumed = await as('privacy', 'erase', 'resume', 'first');
    expect(resumed.code).toBe(1);
    expect(resumed.out).toContain('waits for approval');
    expect(resumed.out).toContain('waits for 1 approval, not by privacy: `lethe erase approve first`');
    expect(await status('first')).toMatchObject({ state: 'open', step: 'checked', steps: [] });
    const { rowCount } = await keys.query('select from lethe_keys.suppressed');
    expect(rowCount).toBe(0);
    await live.expectEqual();
  });

  it('is not approved by who filed it, by who may not, nor by who was made for it: each is audited', async () => {
    const path = '/v1/erasures/first/approve';
    expect((await post('privacy', path)).status).toBe(403);
    expect(await lastRefusal()).toEqual({ principal: 'privacy', why: 'own-request' });
    for (const who of ['billing', 'ops']) {
      expect((await post(who, path)).status).toBe(403);
      expect(await lastRefusal()).toEqual({ principal: who, why: 'role' });
    }
    await done('privacy', 'access', 'add', 'puppet', '--role', 'compliance');
    tokens.set('puppet', (await done<{ text: string }>('privacy', 'access', 'token', 'puppet')).text);
    const late = await as('puppet', 'erase', 'approve', 'first');
    expect(late).toMatchObject({ code: 1, err: expect.stringMatching('ACCESS_REFUSED') });
    expect(await lastRefusal()).toEqual({ principal: 'puppet', why: 'newer-than-request' });
    expect((await post('nobody', path)).status).toBe(401);
    expect((await status('first')).approvals).toMatchObject({ missing: 1, given: [] });
  });

  it('is of somebody who may ask whom his data went to', async () => {
    const { recipients } = await done<{ recipients: unknown }>(
      'privacy',
      'export',
      '--subject',
      `customer:${person.id}`,
    );
    expect(recipients).toEqual([
      { recipient: 'billing', tables: ['public.customers', 'public.orders'] },
      { recipient: 'printer', tables: ['public.orders'] },
    ]);
  });

  it('is taken back without an approval', async () => {
    const subject = { type: 'customer', id: '7' };
    await post('privacy', '/v1/erasures', { subject, reason: 'a mistake', requestId: 'mistake' });
    expect(await post('privacy', '/v1/erasures/mistake/cancel')).toMatchObject({
      status: 200,
      body: { state: 'cancelled' },
    });
    expect((await post('officer', '/v1/erasures/mistake/approve')).status).toBe(403);
    expect(await lastRefusal()).toEqual({ principal: 'officer', why: 'not-waiting' });
  });

  it('is carried out once another has approved it, and tells who had records of the person', async () => {
    expect(await post('officer', '/v1/erasures/first/approve')).toMatchObject({
      status: 200,
      body: { approvals: { missing: 0, given: [{ by: 'officer' }] } },
    });
    await waitUntil(async () => (await status('first')).state === 'done', 300_000, 'the erasure');
    const { recipients, steps } = await status('first');
    expect(recipients).toMatchObject([
      { recipient: 'billing', tables: ['public.customers', 'public.orders'], records: 3 },
      { recipient: 'printer', tables: ['public.orders'], records: 2 },
    ]);
    expect(steps.find(({ step }) => step === 'topics-compacted')!.evidence).toMatchObject({
      recipientsTold: 2,
    });
    const shown = await as('privacy', 'erase', 'status', 'first');
    expect(shown.out).toMatch(/approved by officer at/);
    expect(shown.out).toMatch(/printer.*not yet/);
  });

  it('names in its notices nobody, and whoever has the keys finds those that are meant', async () => {
    const written = await topic();
    expect(written.map(({ key }) => key).toSorted()).toEqual(['first/billing/1', 'first/printer/1']);
    for (const { text } of written) {
      expect(text).not.toContain(String(person.id));
      for (const id of person.orders) expect(text).not.toContain(id);
    }
    const [billing, printer] = written
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ text }) => JSON.parse(text!) as ErasureNotice);
    const customers = [...Array.from({ length: 60 }, (_, i) => String(i + 1)), String(person.id)];
    const orders = [...Array.from({ length: 120 }, (_, i) => String(i + 1)), ...person.orders];
    expect(keysToErase(billing!, 'public.customers', customers)).toEqual([String(person.id)]);
    expect(keysToErase(billing!, 'public.orders', orders)).toEqual(person.orders);
    expect(keysToErase(printer!, 'public.orders', orders)).toEqual(person.orders);
    expect(keysToErase(printer!, 'public.customers', customers)).toEqual([]);
    expect(billing!.salt).not.toBe(printer!.salt);
  });

  it('is certified without waiting for them: their copies are not examined', async () => {
    const certificate = await certificateOf('first');
    expect(certificate.approvals).toMatchObject({ needed: 1, givenAt: [expect.any(String)] });
    expect(certificate.recipients).toMatchObject([
      { recipient: 'billing', acknowledgedAt: null },
      { recipient: 'printer', acknowledgedAt: null },
    ]);
    const open = certificate.notExamined.map(({ what }) => what);
    for (const name of ['billing', 'printer']) expect(open).toContain(`copies of the recipient ${name}`);
    // Who approved stands in the audit alone.
    expect(JSON.stringify(certificate)).not.toContain('officer');
  });

  it('is acknowledged by each recipient for himself, or by compliance for him, once', async () => {
    const path = '/v1/erasures/first/acknowledge';
    expect((await post('printer', path, { recipient: 'billing' })).status).toBe(403);
    expect(await lastRefusal()).toEqual({ principal: 'printer', why: 'recipient' });
    expect((await post('ops', path, { recipient: 'billing' })).status).toBe(403);
    // Of the same name, and not who lethe.yaml says acknowledges.
    expect((await post('billing', path, { recipient: 'billing' })).status).toBe(403);
    expect((await post('privacy', path, { recipient: 'stranger' })).status).toBe(409);
    const answer = await post('accounts', path, { recipient: 'billing', reference: 'ticket 4711' });
    expect(answer).toMatchObject({
      status: 200,
      body: { acknowledgedBy: 'accounts', reference: 'ticket 4711' },
    });
    expect((await post('privacy', path, { recipient: 'billing', reference: 'other' })).body).toEqual(
      answer.body,
    );
    const { acknowledgedBy } = await done<Record<string, unknown>>(
      'officer',
      'erase',
      'acknowledge',
      'first',
      '--recipient',
      'printer',
      '--reference',
      'a letter',
    );
    expect(acknowledgedBy).toBe('officer');
    // Who has done his part need not keep the notice: the last word under its key is that it is gone.
    const last = new Map((await topic()).map(({ key, text }) => [key, text]));
    expect(Object.fromEntries(last)).toEqual({ 'first/billing/1': undefined, 'first/printer/1': undefined });
    await done('ops', 'keys', 'turn');
    const final = await certificateOf('first');
    expect(final.finality.state).toBe('final');
    expect(final.recipients.every(({ acknowledgedAt }) => acknowledgedAt !== null)).toBe(true);
    expect(final.notExamined.filter(({ what }) => what.startsWith('copies of the recipient'))).toEqual([]);
  });

  it('tells each of them one thing, though it is killed between telling and noting', async () => {
    await commands.stopServing();
    const file = ['erase', '--subject', 'customer:51', '--reason', 'Art. 17', '--request-id', 'killed'];
    expect((await as('privacy', ...file)).code).toBe(1);
    await done('officer', 'erase', 'approve', 'killed');
    const crash = join(packageRoot(), 'test', 'support', 'notice-crash.mjs');
    await commands.run(['erase', 'resume', 'killed'], {
      LETHE_TOKEN: tokens.get('privacy')!,
      NODE_OPTIONS: `--import ${crash}`,
    });
    expect(await status('killed')).toMatchObject({ state: 'open', step: 'topics-compacted' });
    const own = async () => (await topic()).filter(({ key }) => key.startsWith('killed/'));
    const before = await own();
    expect(before.map(({ key }) => key).toSorted()).toEqual(['killed/billing/1', 'killed/printer/1']);
    expect((await status('killed')).recipients).toBeUndefined();
    // Nobody can acknowledge what is not noted yet.
    expect((await as('privacy', 'erase', 'acknowledge', 'killed', '--recipient', 'billing')).code).toBe(1);

    await done('privacy', 'erase', 'resume', 'killed');
    const after = await own();
    // What is said again is the same, to the byte, under the same key: compaction leaves one.
    expect(after.length).toBeGreaterThanOrEqual(2);
    expect(new Map(after.map(({ key, text }) => [key, text]))).toEqual(
      new Map(before.map(({ key, text }) => [key, text])),
    );
    expect(new Set(after.map(({ text }) => text)).size).toBe(2);
    expect((await status('killed')).recipients).toHaveLength(2);
    const { rows } = await keys.query(
      `select details->>'recipient' as name from lethe_keys.audit where action = 'notice-sent' and details->>'request' = 'killed'`,
    );
    expect(rows).toHaveLength(2);
  });

  it('needs a person where there is no topic to tell recipients in, who is told to apply', async () => {
    const { config } = live.project!;
    const elsewhere = { ...config, topics: { ...config.topics, prefix: 'nowhere.' } };
    await expect(writeNotices(elsewhere, [{ key: 'r-1/billing/1', value: '{}' }])).rejects.toMatchObject({
      code: 'ERASURE_REFUSED',
      message: `there is no topic ${noticeTopic(elsewhere)} to tell recipients in`,
      fix: expect.stringContaining('lethe apply'),
    });
    // It is known at the first step, and before: nothing of the person was touched.
    const project = { ...live.project!, config: elsewhere };
    const own = openKeyStore(config);
    try {
      const check = checkedWork({ project, keys: own, logs: [], say: () => {} });
      await expect(check([], AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: 'ERASURE_REFUSED' });
      const planned = await planErasure(project, own, [{ type: 'customer', id: '1' }]);
      expect(planned.obstacles).toMatchObject([
        { severity: 'error', message: `there is no topic ${noticeTopic(elsewhere)} to tell recipients in` },
      ]);
      expect(await planErasure(live.project!, own, [{ type: 'customer', id: '1' }])).toMatchObject({
        obstacles: [],
      });
    } finally {
      await own.close();
    }
  });

  it('shouts about who has not acknowledged for too long', async () => {
    const shouted = async () => {
      const { out } = await as('privacy', 'status', '--json');
      return (JSON.parse(out) as { erasures: { unacknowledged: unknown[] } }).erasures.unacknowledged;
    };
    expect(await shouted()).toEqual([]);
    await keys.query(
      `update lethe_erasure.notices set noticed_at = noticed_at - interval '31 days' where request = 'killed'`,
    );
    await done('privacy', 'erase', 'acknowledge', 'killed', '--recipient', 'printer');
    expect(await shouted()).toMatchObject([{ request: 'killed', recipient: 'billing' }]);
    const { code, out } = await as('privacy', 'status');
    expect(code).toBe(1);
    expect(out).toMatch(/ALARM[^]*recipient billing/);
  });
});
