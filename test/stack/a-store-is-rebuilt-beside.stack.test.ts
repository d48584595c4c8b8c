import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyProject } from '../../cli/apply.ts';
import { type ContractStatus, readContractStatus } from '../../cli/contract-status.ts';
import { readStatus } from '../../cli/pipeline-status.ts';
import { planResources } from '../../cli/plan.ts';
import { projectResources } from '../../cli/resources.ts';
import { integerForms } from '../../examples/beancart/canary-bytes.ts';
import * as names from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import type { Canary } from '../../verify/canary.ts';
import { clickhouseApiPlace } from '../../verify/places/clickhouse-api.ts';
import { clickhouseFilesPlace } from '../../verify/places/clickhouse-files.ts';
import { elasticsearchApiPlace } from '../../verify/places/elasticsearch-api.ts';
import { elasticsearchFilesPlace } from '../../verify/places/elasticsearch-files.ts';
import { kafkaTopicsPlace } from '../../verify/places/kafka-topics.ts';
import { scanForCanaries } from '../../verify/scan.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const table = 'public.people';
const head = `table: ${table}
owner: test@lethe.example
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
`;
const id = '  id: { classification: person.id, action: keep }\n';
const before = `${head}${id}  account: { classification: payment.bank, action: keep }
  remark: { classification: content.free-text, action: keep }
  city: { classification: location, action: drop }
`;
const after = `${head}${id}  account: { classification: payment.bank, action: encrypt }
  remark: { classification: content.free-text, action: drop }
  city: { classification: location, action: drop }
`;
const account = 7_310_220_981_274_655_123n;
const remark = 'canary remark 4d1f7e';
const canaries: Canary[] = [
  { table, column: 'account', action: 'encrypt', bytes: integerForms(account) },
  { table, column: 'remark', action: 'drop', bytes: [Buffer.from(remark)] },
];

let live: LivePipeline;
let client: Client;
let transform: Instance;
let sinks: Instance;
let traffic: Promise<void>;
const stopped = new AbortController();
const config = () => live.project!.config;
const digest = () => live.project!.datasets[0]!.digest;
const write = (contract: string) => writeFileSync(join(live.folder, 'contracts', 'people.yaml'), contract);
const runSinks = () => live.run(['--only', 'elasticsearch,clickhouse']);
const runTransform = () => live.run(['--only', 'transform']);

async function end(instance: Instance): Promise<void> {
  instance.child.kill('SIGTERM');
  await instance.ended;
}

async function status(): Promise<ContractStatus> {
  const { datasets, catalog } = live.project!;
  return (await readContractStatus(config(), datasets, catalog))[0]!;
}

/** What a plan with --rebuild says, a line a change. */
async function planned(): Promise<string[]> {
  const { config: named, datasets } = await live.open();
  const { resources, close } = await projectResources(named, datasets, { rebuild: true });
  try {
    return (await planResources(resources)).flatMap(({ changes }) => changes.map(({ summary }) => summary));
  } finally {
    await close();
  }
}

/** Rows that readers find in each store whose condition holds: a query of Elasticsearch and one of ClickHouse. */
async function seen(query: object, condition: string): Promise<[number, number]> {
  const elasticsearch = createElasticsearchClient(config().elasticsearch!);
  const clickhouse = createClickhouseClient(config().clickhouse!);
  try {
    const index = names.indexAlias(config(), table);
    await elasticsearch.indices.refresh({ index });
    const { count } = await elasticsearch.count({ index, query });
    const view = `"${names.clickhouseDatabase(config())}"."${names.clickhouseView(table)}"`;
    const answer = await clickhouse.query({
      query: `select count() as n from ${view} where ${condition}`,
      format: 'JSONEachRow',
    });
    return [count, Number((await answer.json<{ n: string }>())[0]!.n)];
  } finally {
    await elasticsearch.close();
    await clickhouse.close();
  }
}

/** Folders of the pipeline's indexes and tables of all generations, as parts of their paths. */
const folders = new Set<string>();

async function noteFolders(): Promise<void> {
  const elasticsearch = createElasticsearchClient(config().elasticsearch!);
  const clickhouse = createClickhouseClient(config().clickhouse!);
  try {
    const index = `${names.indexAlias(config(), table)}-v*`;
    for (const { uuid } of await elasticsearch.cat.indices({ index, h: 'uuid', format: 'json' })) {
      folders.add(`/${uuid!}/`);
    }
    const answer = await clickhouse.query({
      query: 'select uuid from system.tables where database = {database:String}',
      query_params: { database: names.clickhouseDatabase(config()) },
      format: 'JSONEachRow',
    });
    for (const { uuid } of await answer.json<{ uuid: string }>()) folders.add(`/${uuid}/`);
  } finally {
    await elasticsearch.close();
    await clickhouse.close();
  }
}

/** How often the values of before are found in each place; in the servers' files as well where that is asked for. */
async function found({ files }: { files: boolean }): Promise<Record<string, number>> {
  await noteFolders();
  const { elasticsearch, clickhouse } = config();
  const own = (path: string) => [...folders].some((folder) => path.includes(folder));
  const alias = names.indexAlias(config(), table);
  const reports = await scanForCanaries({
    canaries,
    places: [
      kafkaTopicsPlace(config(), 'clean topic', [names.cleanTopic(config(), table)]),
      elasticsearchApiPlace(elasticsearch!, (index) => index.startsWith(alias)),
      clickhouseApiPlace(clickhouse!, (database) => database === names.clickhouseDatabase(config())),
      ...(files
        ? [elasticsearchFilesPlace(elasticsearch!, own), clickhouseFilesPlace(clickhouse!, own)]
        : []),
    ],
  });
  return Object.fromEntries(reports.map((report) => [report.place, report.found]));
}

beforeAll(async () => {
  live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': before }, 2);
  client = new Client({ connectionString: live.source.url });
  await client.connect();
  await client.query(
    'create table people (id int generated always as identity primary key, account int8, remark text not null, city text)',
  );
  await client.query('insert into people (account, remark) select $1, $2 from generate_series(1, 150)', [
    account,
    remark,
  ]);
  await live.apply();
  [transform, sinks] = [runTransform(), runSinks()];
  await Promise.all([live.ready(transform), live.ready(sinks)]);
  const writer = new Client({ connectionString: live.source.url });
  await writer.connect();
  traffic = (async () => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      await writer.query('insert into people (account, remark) values ($1, $2)', [account, remark]);
      await writer.query('update people set account = account where id = 1 + $1 % 100', [i]);
      if (i % 4 === 0) await writer.query('delete from people where id = (select max(id) - 3 from people)');
      await sleep(40);
    }
    await writer.end();
  })();
  await waitUntil(async () => (await seen({ match_all: {} }, '1')).every((n) => n > 150), 60_000, 'rows');
});

afterAll(async () => {
  stopped.abort();
  await traffic;
  await client?.end();
  await live?.close();
});

describe('a contract that index, table and schema cannot take in place, under live traffic', () => {
  it('is refused with the way out, and its key may not change at all', async () => {
    write(after);
    const refused = applyProject(live.configPath);
    await expect(refused).rejects.toMatchObject({ code: 'PLAN_REFUSED' });
    await expect(refused).rejects.toThrow(
      /cannot read what version 1 wrote -> Run `lethe apply --rebuild`(?:.|\n)*field account(?:.|\n)*column remark of/,
    );
    write(after.replace('person.id, action: keep', 'person.id, action: hash'));
    await expect(applyProject(live.configPath, { rebuild: true })).rejects.toThrow(
      'get other keys (id integer keep -> id integer hash)',
    );
    write(after);
    const [name, database] = [names.indexAlias(config(), table), names.clickhouseDatabase(config())];
    expect((await planned()).filter((summary) => summary.includes('beside'))).toEqual([
      `index ${name}-v2 with 3 fields is built beside ${name}-v1 (field account of ${name}-v1 is {type:long}, the contract asks for {type:keyword,index:false,doc_values:false}, field remark of ${name}-v1 is no longer in the contract)`,
      expect.stringContaining(
        `table ${database}._rows2_people with 9 columns, ordered by id, is built beside`,
      ),
    ]);
  });

  it('is begun by apply --rebuild, also after one that was cut short', async () => {
    const { config: named, datasets } = await live.open();
    const { resources, close } = await projectResources(named, datasets, { rebuild: true });
    for (const resource of resources.filter(({ system }) => system === 'registry')) await resource.apply([]);
    await resources.find(({ system }) => system === 'elasticsearch')!.apply([]);
    await close();
    await live.apply({ rebuild: true });
    expect(await applyProject(live.configPath)).toEqual([]);
  });

  it('is written by nobody that runs under the older one, while readers see what there was', async () => {
    await end(transform);
    transform = runTransform();
    await live.ready(transform);
    const log = () => readFileSync(sinks.logFile, 'utf8');
    for (const sink of ['elasticsearch', 'clickhouse']) {
      const waits = () => new RegExp(`"server":"${sink} of ${table}","reason":"TABLE_HALTED`).test(log());
      await waitUntil(waits, 60_000, `the older ${sink} sink to wait`);
    }
    const own = `_lethe_contract = '${digest()}'`;
    expect(await seen({ term: { '_lethe.contract': digest() } }, own)).toEqual([0, 0]);
    expect(await status()).toMatchObject({ state: 'pending', changed: ['remark', 'account'] });
    const all = await seen({ match_all: {} }, '1');
    expect(await seen({ match: { remark } }, `remark = '${remark}' and account = ${account}`)).toEqual(all);
    expect(Math.min(...all)).toBeGreaterThan(100);
  });

  it('fills its stores while readers keep the older ones, and apply leaves those until all is there', async () => {
    await end(sinks);
    sinks = runSinks();
    await live.ready(sinks);
    const replaced = async () => {
      const { left, state } = await status();
      expect(state).toBe('pending');
      expect(left!.olderStores).toEqual([
        `index ${names.indexName(config(), table, 1)}`,
        `table ${names.clickhouseTable(table, 1)}`,
      ]);
      return left!.inForce === 0;
    };
    await waitUntil(replaced, 90_000, 'all rows to be read again');
    expect(Math.min(...(await seen({ match: { remark } }, `remark = '${remark}'`)))).toBeGreaterThan(100);
    const { 'clean topic': _compacted, ...places } = await found({ files: false });
    expect(
      Object.values(places).every((n) => n > 0),
      JSON.stringify(places),
    ).toBe(true);
  });

  it('takes their place by the next apply, and nothing of before is left in any place', async () => {
    await live.apply();
    stopped.abort();
    await traffic;
    const [comparison] = await live.expectEqual();
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from people');
    expect(comparison!.rows).toBe(rows[0]!.n);
    // Kafka compacts no active segment: what comes later starts the next one.
    const isDone = async () => {
      await client.query('update people set account = account where id <= 50');
      return (await status()).state === 'applied';
    };
    await waitUntil(isDone, 120_000, 'nothing older to be left');
    await live.expectEqual();
    expect((await readStatus(config(), live.project!.datasets)).deadLetters).toEqual([]);
    // The topic's settings go back.
    await live.apply();
    expect(await applyProject(live.configPath)).toEqual([]);
    expect(folders.size).toBe(5);
    expect(await found({ files: true })).toEqual({
      'clean topic': 0,
      'elasticsearch documents': 0,
      'elasticsearch files': 0,
      'clickhouse rows': 0,
      'clickhouse files': 0,
    });
  });

  it('does not stand in the way of later changes that are read by the newest schema', async () => {
    write(after.replace('location, action: drop', 'location, action: keep'));
    const done = await applyProject(live.configPath);
    expect(done.flatMap(({ changes }) => changes.map(({ summary }) => summary))).toContain(
      `${names.cleanSubject(config(), table)}: new schema`,
    );
    const { url } = config().registry;
    const answer = await fetch(`${url}/config/${names.cleanSubject(config(), table)}`);
    expect(await answer.json()).toMatchObject({ compatibilityLevel: 'BACKWARD_TRANSITIVE' });
  });
});
