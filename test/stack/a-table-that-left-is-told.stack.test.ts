import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alarm } from '../../cli/alarms.ts';
import { readContractStatus } from '../../cli/contract-status.ts';
import { reconcileCommand } from '../../cli/reconcile.ts';
import { statusCommand } from '../../cli/status.ts';
import { LetheError } from '../../schemas/errors.ts';
import { publicationName } from '../../schemas/names.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (columns: string) => `table: public.notes
owner: o
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  author: { classification: person.name, action: mask, keepStart: 1 }
${columns}`;
const city = '  city: { classification: location, action: keep }\n';

/** Invariant: a table whose changes do not come is told, and what it missed is made good, deletes too. */
describe('a table that left the publication', () => {
  let live: LivePipeline;
  let client: Client;
  let writer: Client;
  let instance: Instance;
  let traffic: Promise<void>;
  const stopped = new AbortController();

  const log = () => readFileSync(instance.logFile, 'utf8');
  const timesTold = () => log().split('ALARM').length - 1;
  async function alarms(): Promise<[code: number, alarms: readonly Alarm[]]> {
    const { code, out } = await runCommand(statusCommand(), ['-c', live.configPath, '--json'], live.env);
    return [code, (JSON.parse(out) as { alarms: Alarm[] }).alarms];
  }
  const isReadAgain = async () => {
    const { config, datasets, catalog } = await live.open();
    return ((await readContractStatus(config, datasets, catalog))[0]!.left?.inForce ?? 0) === 0;
  };
  async function repaired(): Promise<void> {
    const args = ['public.notes', '--repair', '-c', live.configPath];
    const { code, err } = await runCommand(reconcileCommand(), args, live.env);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect((await alarms())[1]).toEqual([]);
  }
  /** What nobody is told of while the table is out. */
  async function missed(from: number): Promise<void> {
    await client.query(`delete from notes where id between $1::int and $1::int + 9`, [from]);
    await client.query(`update notes set author = 'Missed' where id between $1::int + 10 and $1::int + 19`, [
      from,
    ]);
    await client.query(`insert into notes (id, author) values (-$1::int, 'Came unseen')`, [from]);
  }
  async function toldOnce(times: number): Promise<void> {
    await waitUntil(() => timesTold() === times, 30_000, 'the alarm in the log');
    const seen = async () =>
      (
        await client.query<{ n: string }>(
          `select max(astray_until)::text as n from lethe.contracts_${live.project!.config.name}`,
        )
      ).rows[0]!.n;
    for (let look = 0; look < 2; look++) {
      const before = await seen();
      await waitUntil(async () => (await seen()) !== before, 30_000, 'another look');
    }
    expect(timesTold()).toBe(times);
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'notes.yaml': contract(city) }, 2);
    client = new Client({ connectionString: live.source.url });
    writer = new Client({ connectionString: live.source.url });
    await Promise.all([client.connect(), writer.connect()]);
    await client.query(`
      create table notes (id int primary key, author text, city text);
      insert into notes select g, 'Author ' || g, 'City ' || g from generate_series(1, 300) g`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    traffic = (async () => {
      for (let i = 1_000; !stopped.signal.aborted; i++) {
        await writer.query(`insert into notes (id, author) values ($1, 'Live')`, [i]);
        await writer.query(`update notes set author = 'Changed' where id = $1 - 3`, [i]);
        await writer.query(`delete from notes where id = $1 - 20 and id % 2 = 0`, [i]);
        await writer.query('select pg_sleep(0.15)');
      }
    })();
  });

  afterAll(async () => {
    stopped.abort();
    await traffic;
    await Promise.all([client?.end(), writer?.end()]);
    await live?.close();
  });

  it('by DROP COLUMN … CASCADE is an alarm until it is applied again and reconciled', async () => {
    await client.query('alter table notes drop column city cascade');
    await missed(1);
    await toldOnce(1);
    const [code, [alarm]] = await alarms();
    expect([code, alarm]).toEqual([
      1,
      {
        table: 'public.notes',
        since: expect.stringMatching(/^\d{4}-/),
        what: expect.stringContaining('left the publication'),
        fix: expect.stringMatching(/Take city out .* `lethe reconcile public\.notes --repair`/),
      },
    ]);
    writeFileSync(join(live.folder, 'contracts', 'notes.yaml'), contract(''));
    await live.apply({ rebuild: true });
    const old = instance;
    instance = live.run();
    await live.ready(instance);
    old.child.kill('SIGTERM');
    await old.ended;
    // Rows that are gone, and of which nobody told, are no reason to wait for ever.
    await waitUntil(
      async () => {
        await live.apply().catch((error: unknown) => {
          if (!(error instanceof LetheError && error.code === 'PLAN_REFUSED')) throw error;
        });
        return await isReadAgain();
      },
      240_000,
      'all rows to be read again',
    );
    await live.apply();
    expect(await alarms()).toEqual([
      1,
      [expect.objectContaining({ table: 'public.notes', since: alarm!.since })],
    ]);
    await repaired();
  });

  it('by hand comes back with apply', async () => {
    await client.query(`alter publication ${publicationName(live.project!.config)} drop table notes`);
    await missed(101);
    await toldOnce(1);
    expect((await alarms())[1]).toMatchObject([{ what: expect.stringContaining('left the publication') }]);
    await live.apply();
    await waitUntil(() => log().includes('as it was applied again'), 30_000, 'its return in the log');
    await repaired();
  });

  it('and another of its name are told apart, though nobody ran meanwhile', async () => {
    instance.child.kill('SIGTERM');
    await instance.ended;
    await client.query(`
      begin;
      alter table notes rename to notes_before;
      create table notes (id int primary key, author text);
      insert into notes select id, author from notes_before where id % 3 > 0;
      commit`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    expect((await alarms())[1]).toMatchObject([
      { table: 'public.notes', fix: expect.stringContaining('reconcile') },
    ]);
    await repaired();
  });

  it('leaves every store equal to the source', async () => {
    stopped.abort();
    await traffic;
    const [comparison] = await live.expectEqual();
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from notes');
    expect(comparison!.rows).toBe(rows[0]!.n);
  });
});
