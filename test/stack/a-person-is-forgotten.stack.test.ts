import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../stack/package-root.ts';
import type { Canary } from '../../verify/canary.ts';
import { pipelinePlaces } from '../../verify/places/pipeline-places.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
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
  const person = { id: 4_200_042, email: marked('mail'), nick: marked('nick'), bio: marked('bio') };
  const notes = Array.from({ length: 5 }, (_, i) => ({
    id: 9_000_000 + i,
    note: marked('note'),
    card: marked('card'),
  }));
  const canaries: Canary[] = [
    ...[person.email, person.nick, person.bio].map((text) => ({ column: 'customers', text })),
    ...notes.flatMap(({ note, card }) => [note, card].map((text) => ({ column: 'orders', text }))),
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

  /** Runs the command in a process of its own, as a person would. */
  function lethe(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return new Promise((done) => {
      execFile(
        process.execPath,
        [join(packageRoot(), 'dist', 'cli', 'main.js'), ...args],
        { env: { ...process.env, ...live.env }, maxBuffer: 1 << 26 },
        (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
      );
    });
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(
      await acquireStack(),
      { 'customers.yaml': customers, 'orders.yaml': orders },
      2,
    );
    client = new Client({ connectionString: live.source.url });
    await client.connect();
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
    await client.query('insert into customers values ($1, $2, $3, $4)', [
      person.id,
      person.email,
      person.nick,
      person.bio,
    ]);
    for (const { id, note, card } of notes) {
      await client.query('insert into orders values ($1, $2, $3, $4)', [id, person.id, note, card]);
    }
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
    await client.query('update orders set note = note where customer_id = $1', [person.id]);
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('is found by the scan before', async () => {
    const before = await found();
    for (const place of ['clean topics', 'elasticsearch documents', 'clickhouse rows']) {
      expect(before[place], place).toBeGreaterThan(0);
    }
  });

  it('is shown what would be done, and nothing is', async () => {
    const { code, out } = await lethe(
      'erase',
      '--subject',
      `customer:${person.id}`,
      '--reason',
      'Art. 17',
      '--dry-run',
      '--json',
      '-c',
      live.configPath,
    );
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
    const { code, out, err } = await lethe(
      'erase',
      '--subject',
      `customer:${person.id}`,
      '--reason',
      'Art. 17',
      '--request-id',
      'first',
      '--json',
      '-c',
      live.configPath,
    );
    console.log(err);
    console.log(out);
    expect(code, err).toBe(0);
    await live.expectEqual();
    const after = await found();
    expect(Object.entries(after).filter(([, count]) => count > 0)).toEqual([]);
    const certificate = await lethe('erase', 'certificate', 'first', '-c', live.configPath);
    console.log(certificate.out);
    expect(certificate.code).toBe(0);
  });
});
