import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectClient } from '../../connectors/connect/connect-client.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic, connectorName, signalTable, slotName } from '../../schemas/names.ts';
import { header } from '../../schemas/record-headers.ts';
import { compareVersions, parseVersion, type Version } from '../../schemas/version.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.notes
owner: o
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  author: { classification: person.name, action: keep }
`;
/** So many that a snapshot takes a while. */
const rows = 20_000;
const author = 'A name of some thirty letters, or more ';

interface Seen {
  readonly op: string;
  readonly version: Version;
}

/**
 * Invariant: a change that was made before a snapshot read its row, and committed after it, is newer than the read, though its LSN in the
 * WAL is lower; whichever kind of snapshot it is.
 */
describe('a transaction that is held open across', () => {
  let live: LivePipeline;
  let client: Client;
  const open = new Set<Client>();
  const config = () => live.project!.config;

  /** A transaction that has changed, deleted and inserted rows of its own, and is left open. */
  async function begin(number: number): Promise<Client> {
    const held = new Client({ connectionString: live.source.url });
    open.add(held);
    await held.connect();
    await held.query('begin');
    await held.query('update notes set author = $1 where id = $2', [`Changed in ${number}`, number * 10]);
    await held.query('delete from notes where id = $1', [number * 10 + 1]);
    await held.query('insert into notes values ($1, $2)', [-number, `Inserted in ${number}`]);
    return held;
  }
  async function commit(held: Client): Promise<void> {
    await held.query('commit');
    await held.end();
    open.delete(held);
  }
  async function signal(type: 'incremental' | 'blocking'): Promise<void> {
    await client.query(`insert into ${signalTable(config())} values ($1, 'execute-snapshot', $2)`, [
      `test-${type}`,
      JSON.stringify({ 'data-collections': ['public.notes'], type }),
    ]);
  }
  /** What the clean topic has of each row, in its order. */
  async function history(): Promise<Map<string, Seen[]>> {
    const found = new Map<string, Seen[]>();
    await readTopics(createKafka(config(), 'test'), [cleanTopic(config(), 'public.notes')], ({ message }) => {
      const version = parseVersion(String(message.headers?.[header.version]));
      if (!version) return;
      const key = String(message.key);
      found.set(key, [...(found.get(key) ?? []), { op: String(message.headers?.[header.op]), version }]);
    });
    return found;
  }
  const reads = async (id: number): Promise<number> =>
    ((await history()).get(String(id)) ?? []).filter(({ op }) => op === 'r').length;
  /** The last that was said of each row is the newest, and stands in both stores. */
  async function settled(...numbers: number[]): Promise<void> {
    await live.expectEqual();
    for (const [key, seen] of await history()) {
      seen.slice(1).forEach(({ version }, i) => {
        if (compareVersions(version, seen[i]!.version) <= 0) expect.fail(`versions of ${key} go back`);
      });
    }
    const { rows: found } = await client.query<{ n: number }>(
      `select count(*)::int as n from notes where author like 'Changed in %' or author like 'Inserted in %'`,
    );
    expect(found[0]!.n).toBe(2 * numbers.length);
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'notes.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table notes (id int primary key, author text)');
    await client.query('insert into notes select g, $1::text || g from generate_series(1, $2::int) g', [
      author,
      rows,
    ]);
  });

  afterAll(async () => {
    for (const held of open) await held.end();
    await client?.end();
    await live?.close();
  });

  it('the initial snapshot: begun before the slot, which waits for it, and begun while it reads', async () => {
    await live.open();
    const early = await begin(1);
    const applied = live.apply();
    const slot = async (): Promise<string | undefined> =>
      (
        await client.query<{ at: string | null }>(
          'select confirmed_flush_lsn::text as at from pg_replication_slots where slot_name = $1',
          [slotName(config())],
        )
      ).rows.map(({ at }) => at ?? '')[0];
    await waitUntil(async () => (await slot()) !== undefined, 60_000, 'the connector to ask for its slot');
    expect(await slot()).toBe('');
    await commit(early);
    await waitUntil(async () => (await slot()) !== '', 60_000, 'the slot');
    const inside = await begin(2);
    await applied;
    await live.ready(live.run());
    await waitUntil(async () => (await reads(20)) === 1, 120_000, 'the row to be read');
    const connect = new ConnectClient(config().connect);
    await waitUntil(
      async () => (await connect.phase(connectorName(config()))) === 'streaming',
      120_000,
      'the stream',
    );
    expect((await history()).get('20')).toHaveLength(1);
    await commit(inside);
    await settled(1, 2);
  });

  it.each([
    ['an incremental snapshot', 'incremental', 3],
    ['a blocking snapshot', 'blocking', 4],
  ] as const)('%s', async (_, type, number) => {
    const held = await begin(number);
    // It commits while the snapshot is under way, wherever that is then.
    const meanwhile = await begin(number + 10);
    const before = await reads(number * 10);
    await signal(type);
    await waitUntil(async () => (await reads(1)) > before, 120_000, 'the first row to be read again');
    await commit(meanwhile);
    await waitUntil(async () => (await reads(rows)) > before, 120_000, 'the last row to be read again');
    expect(await reads(number * 10)).toBe(before + 1);
    await commit(held);
    await settled(...(type === 'incremental' ? [1, 2, 3, 13] : [1, 2, 3, 13, 4, 14]));
  });
});
