import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcileCommand } from '../../cli/reconcile.ts';
import { clickhouseDatabase, clickhouseTable, indexName } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';
import { unseen } from '../support/unseen.ts';

const canary = 'zq7_canary_reconcile';
const head = (table: string) =>
  `table: public.${table}\nowner: o\ntier: 1\nsubject: { type: customer, key: customer_id }\n` +
  `sinks: [elasticsearch, clickhouse]\nstaleness: 30s\ncolumns:\n`;
const contracts = {
  'notes.yaml': `${head('notes')}  id: { classification: internal, action: keep }
  customer_id: { classification: person.id, action: keep }
  title: { classification: internal, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
  'logins.yaml': `${head('logins')}  email: { classification: person.contact, action: hash }
  customer_id: { classification: person.id, action: keep }
  note: { classification: content.free-text, action: encrypt }
`,
};

interface Found {
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly found: readonly { readonly store: string; readonly row: string; readonly is: string }[];
    readonly repaired: number;
    readonly left: readonly unknown[];
  }[];
}

/** Invariant: whatever happened to a store, or was never told to it, is found and mended while rows change. */
describe('stores that differ from the source', () => {
  let live: LivePipeline;
  let client: Client;
  let writer: Client;
  const stopped = new AbortController();
  let traffic: Promise<void>;
  const said: string[] = [];
  const config = () => live.project!.config;

  async function reconcile(...args: string[]): Promise<CommandResult> {
    const result = await runCommand(reconcileCommand(), ['-c', live.configPath, ...args], live.env);
    said.push(result.out, result.err);
    return result;
  }

  async function found(...args: string[]): Promise<[code: number, found: Found]> {
    const { code, out, err } = await reconcile('--json', ...args);
    if (out === '') throw new Error(err);
    return [code, JSON.parse(out) as Found];
  }

  /** Rows that are updated, deleted and inserted again all the time. */
  async function keepWriting(): Promise<void> {
    for (let n = 0; !stopped.signal.aborted; n++) {
      const id = 1_000 + (n % 40);
      // A pace that the pipeline can follow.
      await writer.query('select pg_sleep(0.02)');
      await writer.query(`update notes set note = $1, title = $2 where id = $3`, [
        `${canary} ${n}`,
        `t${n}`,
        id,
      ]);
      if (n % 5 === 0) await writer.query('delete from notes where id = $1', [id]);
      if (n % 5 === 2)
        await writer.query(`insert into notes values ($1, $1, 'new', $2) on conflict do nothing`, [
          id,
          canary,
        ]);
    }
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    client = new Client({ connectionString: live.source.url });
    writer = new Client({ connectionString: live.source.url });
    await Promise.all([client.connect(), writer.connect()]);
    await client.query(`
      create table notes (id int primary key, customer_id int not null, title text, note text);
      create table logins (email text primary key, customer_id int not null, note text);
      insert into notes select i, i % 7, 'title ' || i, '${canary} ' || i from generate_series(1, 200) i;
      insert into notes select i, i, 'title ' || i, '${canary} ' || i from generate_series(1000, 1040) i;
      insert into logins select '${canary}' || i || '@mail.example', i, '${canary} ' || i from generate_series(1, 50) i`);
    await live.apply();
    await Promise.all(
      [live.run(['--only', 'transform']), live.run(['--only', 'elasticsearch,clickhouse'])].map((i) =>
        live.ready(i),
      ),
    );
    await live.expectEqual();
    traffic = keepWriting();
  });

  afterAll(async () => {
    stopped.abort();
    await traffic;
    await Promise.all([client?.end(), writer?.end()]);
    await live?.close();
  });

  it('are told from those that only have changes under way', async () => {
    const [code, { tables }] = await found();
    expect(tables.map(({ table, left }) => [table, left])).toEqual([
      ['public.logins', []],
      ['public.notes', []],
    ]);
    expect(code).toBe(0);
  });

  it('are found, row by row, and mended under traffic', async () => {
    const search = createElasticsearchClient(config().elasticsearch!);
    const warehouse = createClickhouseClient(config().clickhouse!);
    const index = indexName(config(), 'public.notes', 1);
    const rows = `${clickhouseDatabase(config())}.${clickhouseTable('public.notes', 1)}`;
    // Somebody's hand in the index: a row gone, a row changed, a row of nobody.
    const { _source: document } = await search.get<Record<string, unknown>>({ index, id: '3' });
    await search.delete({ index, id: '1' });
    await search.update({ index, id: '2', doc: { title: 'by hand' } });
    // An index from a backup: a row as it was before.
    const before = { version: '0001-0000000000000001-0000000000000001-00000000' };
    await search.update({ index, id: '6', doc: { title: 'older', _lethe: before } });
    const lethe = { ...(document!['_lethe'] as object), key: '777' };
    await search.index({ index, id: '777', document: { ...document, id: 777, _lethe: lethe } });
    // An old copy of the table: rows that were never there, and one as it was before.
    const columns = 'id, customer_id, title, note, _lethe_version, _lethe_deleted';
    await warehouse.command({
      query: `INSERT INTO ${rows} (${columns}) SELECT 778, customer_id, title, note, _lethe_version, 0 FROM ${rows} WHERE id = 3`,
    });
    await warehouse.command({
      query: `ALTER TABLE ${rows} UPDATE title = 'by hand' WHERE id = 4 SETTINGS mutations_sync = 1`,
    });
    await warehouse.command({ query: `DELETE FROM ${rows} WHERE id = 5` });
    // What a lost slot does: changes that nobody was told of.
    await unseen(
      client,
      config(),
      'notes',
      `delete from notes where id = 10; update notes set note = 'unseen' where id = 11`,
    );
    await unseen(
      client,
      config(),
      'logins',
      `delete from logins where customer_id = 1; update logins set note = 'x' where customer_id = 2`,
    );
    await Promise.all([search.close(), warehouse.close()]);
    const expected = [
      'clickhouse different 11',
      'clickhouse different 4',
      'clickhouse extra 10',
      'clickhouse extra 778',
      'clickhouse missing 5',
      'elasticsearch different 11',
      'elasticsearch different 2',
      'elasticsearch extra 10',
      'elasticsearch extra 777',
      'elasticsearch missing 1',
      'elasticsearch stale 6',
    ];
    const [code, { tables }] = await found('--keys');
    const [logins, notes] = tables;
    expect(notes!.found.map(({ store, is, row }) => `${store} ${is} ${row}`).sort()).toEqual(expected);
    expect(logins!.found.map(({ store, is }) => `${store} ${is}`).sort()).toEqual([
      'clickhouse different',
      'clickhouse extra',
      'elasticsearch different',
      'elasticsearch extra',
    ]);
    expect(code).toBe(1);
    const [repaired, after] = await found('--repair');
    expect(after.tables.map(({ table, repaired: n, left }) => [table, n, left])).toEqual([
      ['public.logins', 4, []],
      ['public.notes', expected.length, []],
    ]);
    expect(repaired).toBe(0);
    stopped.abort();
    await traffic;
    await live.expectEqual();
  });

  it('need no second repair, and no value of theirs was said', async () => {
    const { code, out } = await reconcile('public.notes', '--repair');
    expect(code).toBe(0);
    expect(out).toContain('public.notes');
    expect(said.join('\n')).not.toContain(canary);
    const wrong = await reconcile('public.note');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('Did you mean public.notes?')]);
  });
});
