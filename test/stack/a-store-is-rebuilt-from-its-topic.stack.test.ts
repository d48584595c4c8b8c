import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import type { Client as ElasticsearchClient } from '@elastic/elasticsearch';
import kafkajs from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyProject } from '../../cli/apply.ts';
import { openStore } from '../../cli/rebuild/open-store.ts';
import { readRebuilds } from '../../cli/rebuild/rebuild-status.ts';
import { rebuildCommand } from '../../cli/rebuild.ts';
import { replayCommand } from '../../cli/replay.ts';
import { waitForSinks } from '../../cli/wait-for-sinks.ts';
import { adminConnection } from '../../connectors/kafka/admin.ts';
import { takeRebuildLock } from '../../connectors/postgres/rebuild-lock.ts';
import type { StoreCopy } from '../../pipeline/store-copy.ts';
import * as names from '../../schemas/names.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { comparePipeline } from '../../verify/compare.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { contract, table } from '../support/rebuilt-people.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';

// Not among the names that Node finds in this CommonJS module.
const { ConfigResourceTypes } = kafkajs;
const damaged = 40;

let live: LivePipeline;
let client: Client;
let elasticsearch: ElasticsearchClient;
let clickhouse: ClickHouseClient;
let traffic: Promise<void>;
const stopped = new AbortController();
const config = () => live.project!.config;
const alias = () => names.indexAlias(config(), table);
const place = (name: string) => `"${names.clickhouseDatabase(config())}"."${name}"`;
const rows = () => place(names.clickhouseTable(table, 1));

/** What a reader sees of rows that are never deleted: how many, and a sum that every write makes larger. */
interface Seen {
  readonly count: number;
  readonly sum: number;
}

const readers: Readonly<Record<SinkName, () => Promise<Seen>>> = {
  async elasticsearch() {
    const { hits, aggregations } = await elasticsearch.search({
      index: alias(),
      size: 0,
      track_total_hits: true,
      query: { term: { stays: true } },
      aggs: { sum: { sum: { field: 'n' } } },
    });
    const { value } = aggregations!['sum'] as { value: number };
    return { count: (hits.total as { value: number }).value, sum: value };
  },
  async clickhouse() {
    const query = `select count() as count, sum(n) as sum from ${place(names.clickhouseView(table))} where stays`;
    const answer = await clickhouse.query({ query, format: 'JSONEachRow' });
    const [row] = await answer.json<{ count: string; sum: string }>();
    return { count: Number(row!.count), sum: Number(row!.sum) };
  },
};

/** Reads all the time while something is done; fails if a reader ever sees less than before, or an error. */
async function watched<T>(sink: SinkName, work: () => Promise<T>): Promise<T> {
  let before: Seen = { count: 0, sum: 0 };
  let looks = 0;
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      const now = await readers[sink]();
      expect(now.count).toBeGreaterThanOrEqual(before.count);
      expect(now.sum).toBeGreaterThanOrEqual(before.sum);
      before = now;
      looks++;
      await sleep(20);
    }
  })();
  try {
    const done = await Promise.race([work(), watching.then(() => undefined as never)]);
    ended.abort();
    await watching;
    expect(looks).toBeGreaterThan(3);
    return done;
  } finally {
    ended.abort();
  }
}

/** What the commands print, as far as it is looked at. */
interface Said {
  readonly rows: number;
  readonly replayed: readonly { readonly read: number; readonly written: number }[];
  readonly later: readonly unknown[];
  readonly error: { readonly code: string; readonly message: string; readonly fix: string };
}

/** Runs the command in this process; --json is given. */
async function lethe(command: ReturnType<typeof rebuildCommand>, args: readonly string[]): Promise<Said> {
  const result = await runCommand(command, [...args, '-c', live.configPath, '--json'], live.env);
  const said =
    result.code === 0 || result.out !== '' ? result.out : result.err.slice(result.err.indexOf('{'));
  return JSON.parse(said) as Said;
}
const rebuild = (sink: SinkName, ...flags: string[]) => lethe(rebuildCommand(), [sink, table, ...flags]);
const replay = (...flags: string[]) => lethe(replayCommand(), ['people', ...flags]);

/** Runs `lethe rebuild` in a process that ends by SIGKILL when it says so. */
async function killedAt(sink: SinkName, stage: string): Promise<void> {
  const preload = `const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text, ...rest) => {
      if (String(text).includes(${JSON.stringify(stage)})) process.kill(process.pid, 'SIGKILL');
      return write(text, ...rest);
    };`;
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const child = spawn(
    process.execPath,
    [
      '--import',
      `data:text/javascript,${encodeURIComponent(preload)}`,
      main,
      'rebuild',
      sink,
      table,
      '-c',
      live.configPath,
    ],
    { env: { ...process.env, ...live.env }, stdio: 'ignore' },
  );
  expect(await new Promise((done) => child.once('exit', (_, signal) => done(signal)))).toBe('SIGKILL');
}

/** Lends what a rebuilding does to the store, a step at a time. */
async function withCopy(
  sink: SinkName,
  use: (copy: StoreCopy) => Promise<unknown>,
  generation = 1,
): Promise<void> {
  const store = openStore(config(), sink, live.project!.datasets[0]!, generation);
  try {
    await use(store.copy);
  } finally {
    await store.close();
  }
}

async function stateOf(sink: SinkName): Promise<string> {
  const all = await readRebuilds(config(), live.project!.datasets);
  return all.find((rebuild) => rebuild.sink === sink)?.state ?? 'none';
}

/** Takes rows out of both stores, and changes others, behind Lethe's back. */
async function damage(): Promise<void> {
  const query = { bool: { filter: [{ term: { stays: true } }, { range: { id: { lte: damaged } } }] } };
  await elasticsearch.deleteByQuery({ index: alias(), query, refresh: true, conflicts: 'proceed' });
  await clickhouse.command({
    query: `delete from ${rows()} where id <= ${damaged} settings mutations_sync = 1`,
  });
  const altered = { range: { id: { gt: damaged, lte: damaged + 10 } } };
  const script = { source: "ctx._source.name = 'x'" };
  await elasticsearch.updateByQuery({
    index: alias(),
    query: altered,
    script,
    refresh: true,
    conflicts: 'proceed',
  });
  await clickhouse.command({
    query: `alter table ${rows()} update name = 'x' where id > ${damaged} and id <= ${damaged + 10} settings mutations_sync = 1`,
  });
}

beforeAll(async () => {
  live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(
    'create table people (id int generated always as identity primary key, stays bool not null, n int8 not null, name text)',
  );
  const insert = (stays: boolean, count: number) =>
    client.query("insert into people (stays, n, name) select $1, 0, 'Ann' from generate_series(1, $2)", [
      stays,
      count,
    ]);
  await insert(true, 400);
  await live.apply();
  [elasticsearch, clickhouse] = [
    createElasticsearchClient(config().elasticsearch!),
    createClickhouseClient(config().clickhouse!),
  ];
  await live.ready(live.run());
  await insert(false, 100);
  await client.query('delete from people where not stays and id % 3 = 0');
  const writer = new Client({ connectionString: live.source.url });
  await writer.connect();
  await waitForSinks(config(), live.project!.datasets, { signal: AbortSignal.timeout(90_000) });
  await damage();
  traffic = (async () => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      await writer.query("insert into people (stays, n, name) values ($1, 1, 'Bob')", [i % 3 > 0]);
      await writer.query('update people set n = n + 1 where id = 100 + $1 % 200', [i]);
      if (i % 4 === 0)
        await writer.query('delete from people where id = (select max(id) from people where not stays)');
      await sleep(20);
    }
    await writer.end();
  })();
}, 180_000);

afterAll(async () => {
  stopped.abort();
  await traffic;
  await elasticsearch?.close();
  await clickhouse?.close();
  await client?.end();
  await live?.close();
});

describe('a store whose rows are not what the clean topic says', () => {
  it('has an index built anew under live traffic, whatever is killed, and no reader sees less', async () => {
    const sink = 'elasticsearch';
    const before = await readers[sink]();
    await watched(sink, async () => {
      await killedAt(sink, 'verifying it');
      expect(await stateOf(sink)).toBe('building');
      // Killed while the live one takes no writes: the next run lets them in again.
      await withCopy(sink, (copy) => copy.hold());
      await killedAt(sink, 'reading what came last');
      expect(await stateOf(sink)).toBe('swapped');
      expect(await rebuild(sink, '--confirm')).toMatchObject({ error: { code: 'PLAN_REFUSED' } });
      expect(await rebuild(sink)).toMatchObject({ sink, table, rejected: 0, kept: `${alias()}-v1` });
    });
    expect((await readers[sink]()).count).toBeGreaterThanOrEqual(before.count + damaged);
    const { hits } = await elasticsearch.search({ index: alias(), query: { term: { name: 'x' } } });
    expect(hits.hits).toEqual([]);
  });

  it('has a table built anew likewise', async () => {
    const sink = 'clickhouse';
    const before = await readers[sink]();
    await watched(sink, async () => {
      // As if it were killed while the live one takes no writes.
      await withCopy(sink, async (copy) => {
        await copy.prepare();
        await copy.hold();
      });
      await killedAt(sink, 'reading what came last');
      expect(await stateOf(sink)).toBe('swapped');
      expect(await rebuild(sink)).toMatchObject({ sink, table, rejected: 0, kept: '_kept_people' });
    });
    expect((await readers[sink]()).count).toBeGreaterThanOrEqual(before.count + damaged);
  });

  it('equals the source then, and what was replaced is no fault and nobody’s to delete', async () => {
    stopped.abort();
    await traffic;
    await live.expectEqual();
    expect(await applyProject(live.configPath)).toEqual([]);
    for (const sink of ['elasticsearch', 'clickhouse'] as const) {
      expect(await stateOf(sink)).toBe('kept');
      expect(await rebuild(sink)).toMatchObject({ error: { code: 'PLAN_REFUSED' } });
      expect(await rebuild(sink, '--discard')).toMatchObject({ error: { code: 'PLAN_REFUSED' } });
    }
    writeFileSync(
      join(live.folder, 'contracts', 'people.yaml'),
      contract.replace('keepEnd: 1', 'keepEnd: 0'),
    );
    await expect(applyProject(live.configPath)).rejects.toThrow(/--confirm(?:.|\n)*--confirm/);
  });

  it('loses it when somebody confirms, also before another contract', async () => {
    expect(await rebuild('elasticsearch', '--confirm')).toMatchObject({ deleted: `${alias()}-v1` });
    writeFileSync(join(live.folder, 'contracts', 'people.yaml'), contract);
    expect(await rebuild('clickhouse', '--confirm')).toMatchObject({ deleted: '_kept_people' });
    expect(await readRebuilds(config(), live.project!.datasets)).toEqual([]);
    expect(Object.keys(await elasticsearch.indices.get({ index: `${alias()}-*` }))).toEqual([
      `${alias()}-v1-2`,
    ]);
    expect(await applyProject(live.configPath)).toEqual([]);
  });

  it('is not rebuilt by two at a time, and what is begun may be given up', async () => {
    expect(await takeRebuildLock(client, config(), table, 'clickhouse')).toBe(true);
    const refused = await rebuild('clickhouse');
    expect(refused.error.message).toContain('another command is rebuilding');
    await client.query('select pg_advisory_unlock_all()');
    await withCopy('clickhouse', (copy) => copy.prepare());
    expect(await stateOf('clickhouse')).toBe('building');
    expect(await rebuild('clickhouse', '--discard')).toMatchObject({ deleted: '_next_people' });
    expect(await stateOf('clickhouse')).toBe('none');
    for (const sink of ['elasticsearch', 'clickhouse'] as const) {
      await withCopy(sink, (copy) => expect(copy.swap()).rejects.toMatchObject({ code: 'PLAN_REFUSED' }));
      const gone = withCopy(sink, (copy) => copy.prepare(), 7);
      await expect(gone).rejects.toMatchObject({ code: 'PLAN_REFUSED', fix: 'Run `lethe apply` first.' });
    }
  });

  it('is not rebuilt from a topic that is not complete, but from rows that are read again', async () => {
    const topic = names.cleanTopic(config(), table);
    const kafka = adminConnection(config());
    await kafka.withAdmin(async (admin) => {
      // Kafka itself deletes no records of a topic that is only compacted.
      const configEntries = [{ name: 'cleanup.policy', value: 'compact,delete' }];
      const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
      await admin.alterConfigs({ validateOnly: false, resources });
      const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition }) => ({
        partition,
        offset: '40',
      }));
      await admin.deleteTopicRecords({ topic, partitions });
    });
    await kafka.close();
    await live.apply();
    const refused = await rebuild('clickhouse');
    expect(refused.error).toMatchObject({
      code: 'PLAN_REFUSED',
      fix: expect.stringContaining('--snapshot'),
    });
    expect(await rebuild('clickhouse', '--snapshot')).toMatchObject({ kept: '_kept_people' });
    await live.expectEqual();
    await rebuild('clickhouse', '--confirm');
  });
});

describe('records of a clean topic', () => {
  it('are written again from a point on: what is missing comes back, what is newer stays', async () => {
    await live.expectEqual();
    await elasticsearch.indices.putSettings({ index: alias(), settings: { 'index.gc_deletes': '0s' } });
    await damage();
    const unequal = await comparePipeline(
      config(),
      live.project!.contracts.map((c) => c.contract),
    );
    expect(unequal[0]!.places[2]!.counts.missing).toBeGreaterThan(0);
    const { now } = (await client.query<{ now: string }>('select clock_timestamp() as now')).rows[0]!;
    const nothing = await replay('--from', new Date(Date.parse(now) + 3_600_000).toISOString());
    expect(nothing.replayed).toEqual(
      ['elasticsearch', 'clickhouse'].map((sink) => ({ sink, read: 0, written: 0, stale: 0, rejected: 0 })),
    );
    expect(nothing.later).toEqual([]);
  });

  it('lie behind an offset, a time or a position, and it is said what lies earlier', async () => {
    const { lsn } = (await client.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn')).rows[0]!;
    const late = await replay('--from', lsn, '--sink', 'clickhouse');
    expect(late.replayed[0]!.read).toBeGreaterThan(400);
    expect(late.replayed[0]!.written).toBe(0);
    const result = await replay('--from', '0', '--sink', 'clickhouse');
    expect(result.replayed[0]).toMatchObject({ rejected: 0 });
    expect(result.replayed[0]!.written).toBe(result.replayed[0]!.read);
    expect(result.later[0]).toMatchObject({ partition: 0, offset: expect.stringMatching(/^\d+$/) });
    const text = await runCommand(
      replayCommand(),
      ['people', '--from', '2020-01-01T00:00:00Z', '-c', live.configPath],
      live.env,
    );
    expect(text.out).toContain(
      'What lies earlier is a new snapshot: `lethe rebuild elasticsearch public.people --snapshot`',
    );
    const places = async () =>
      (
        await comparePipeline(
          config(),
          live.project!.contracts.map((c) => c.contract),
        )
      )[0]!.places;
    const [, , inTable] = await places();
    expect(inTable).toMatchObject({ counts: { missing: 0, different: 0, extra: 0 } });
    // Of a document that was deleted by hand Elasticsearch keeps a larger version for a moment, and of one that was altered for good.
    const areBack = async () => {
      await elasticsearch.indices.refresh({ index: alias() });
      await replay('--from', '0', '--sink', 'elasticsearch');
      return (await places())[1]!.counts.missing === 0;
    };
    await waitUntil(areBack, 60_000, 'deleted documents to come back');
    expect((await places())[1]!.counts.different).toBe(10);
    const bad = await runCommand(
      replayCommand(),
      ['people', '--from', 'noon', '-c', live.configPath],
      live.env,
    );
    expect(bad.code).toBe(2);
  });
});
