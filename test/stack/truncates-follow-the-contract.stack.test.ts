import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (table: string, truncate?: string): string => `table: public.${table}
owner: o
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
${truncate ? `truncate: ${truncate}\n` : ''}columns:
  email: { classification: person.contact, action: hash }
  n: { classification: internal, action: keep }
`;

const contracts = { 'cleared.yaml': contract('cleared', 'delete'), 'waits.yaml': contract('waits') };

/** Invariant: after a TRUNCATE readers have what the source has, by the contract's word; a table that waits keeps no other from its work. */
describe('a TRUNCATE', () => {
  let live: LivePipeline;
  let client: Client;
  let transform: Instance;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 4);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    for (const table of ['cleared', 'waits']) {
      await client.query(`create table ${table} (email text primary key, n int)`);
      await client.query(
        `insert into ${table} select i || '@mail.example', i from generate_series(1, 300) i`,
      );
    }
    await live.apply();
    transform = live.run(['--only', 'transform']);
    await Promise.all(
      [transform, live.run(['--only', 'elasticsearch,clickhouse'])].map((i) => live.ready(i)),
    );
    await live.expectEqual();
  });

  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  const insert = (table: string, from: number, to: number) =>
    client.query(
      `insert into ${table} select i || '@mail.example', i from generate_series(${from}, ${to}) i`,
    );

  it('deletes all rows that were there, and none that came after it, in its own transaction too', async () => {
    await client.query('update cleared set n = n + 1 where n % 3 = 0');
    await client.query('begin');
    await client.query('truncate cleared');
    await insert('cleared', 1, 20);
    await client.query('commit');
    await insert('cleared', 400, 450);
    const [cleared] = await live.expectEqual();
    expect([cleared!.table, cleared!.rows]).toEqual(['public.cleared', 71]);
  });

  it('again and again, with rows that come back at once', async () => {
    for (let n = 0; n < 3; n++) {
      await insert('cleared', 500 + 10 * n, 600);
      await client.query('truncate cleared');
      await insert('cleared', 500, 500 + n);
    }
    const [cleared] = await live.expectEqual();
    expect(cleared!.rows).toBe(3);
  });

  it('makes a table wait whose contract says nothing, and no other', async () => {
    await client.query('truncate waits');
    await client.query('insert into waits select i || $1, i from generate_series(1, 50) i', ['@new.example']);
    await insert('cleared', 700, 750);
    const said = (): string => readFileSync(transform.logFile, 'utf8');
    await waitUntil(() => said().includes('public.waits was truncated at the source'), 60_000, 'the halt');
    expect(said().match(/was truncated at the source/g)).toHaveLength(1);
  });

  it('and lets it go on as the contract then says', async () => {
    transform.child.kill('SIGTERM');
    await transform.ended;
    writeFileSync(join(live.folder, 'contracts', 'waits.yaml'), contract('waits', 'delete'));
    await live.apply();
    transform = live.run(['--only', 'transform']);
    await live.ready(transform);
    const [cleared, waits] = await live.expectEqual();
    expect([cleared!.rows, waits!.rows]).toEqual([54, 50]);
    expect(readFileSync(transform.logFile, 'utf8')).not.toContain('mail.example');
  });
});
