import { Client as Elasticsearch, type estypes } from '@elastic/elasticsearch';
import { createClient } from '@clickhouse/client';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clickhouseDatabase, clickhouseTable, indexAlias } from '../../schemas/names.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline } from '../support/live-pipeline.ts';
import { acquireStack, type TestStack } from '../support/stack.ts';

const contract = `table: public.customers
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: application }
columns:
  id: { classification: person.id, action: keep }
  nick: { classification: person.contact, action: keep }
`;

/** Neither knows of the erasure after it: as if each were restored from a backup of the night before. */
describe('stores that are restored to before an erasure', { timeout: 600_000 }, () => {
  let stack: TestStack;
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;
  let elastic: Elasticsearch;
  let clickhouse: ReturnType<typeof createClient>;

  const names = () => {
    const { config } = live.project!;
    return {
      alias: indexAlias(config, 'public.customers'),
      table: `${clickhouseDatabase(config)}.${clickhouseTable('public.customers', 1)}`,
    };
  };

  beforeAll(async () => {
    stack = await acquireStack();
    live = await LivePipeline.ofContracts(stack, { 'customers.yaml': contract }, 2);
    commands = new LetheCommands(live);
    elastic = new Elasticsearch({ node: stack.endpoints.elasticsearch.url });
    clickhouse = createClient({ url: stack.endpoints.clickhouse.url });
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`create table customers (id int primary key, nick text);
      insert into customers select g, 'nick ' || g from generate_series(1, 50) g`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await elastic?.close();
    await clickhouse?.close();
    await live?.close();
  });

  /** All that the index has, to be put into one of the same name that knows nothing of what came since. */
  async function indexBackup(alias: string): Promise<() => Promise<void>> {
    const [index] = Object.keys(await elastic.indices.getAlias({ name: alias })) as [string];
    const { mappings, aliases, settings } = (await elastic.indices.get({ index }))[index]!;
    const { hits } = await elastic.search({ index, version: true, size: 1_000 });
    const { analysis, number_of_shards, number_of_replicas } = settings!.index!;
    const kept = {
      number_of_shards,
      number_of_replicas,
      ...(analysis ? { analysis } : {}),
    } as estypes.IndicesIndexSettings;
    return async () => {
      await elastic.indices.delete({ index });
      await elastic.indices.create({ index, mappings: mappings!, aliases: aliases!, settings: kept });
      await elastic.bulk({
        refresh: true,
        operations: hits.hits.flatMap(({ _id, _version, _source }) => [
          { index: { _index: index, _id: _id!, version: _version!, version_type: 'external_gte' } },
          _source,
        ]),
      });
    };
  }

  async function tableBackup(table: string): Promise<() => Promise<void>> {
    const format = 'JSONEachRow' as const;
    // JSON.parse would round versions.
    const exact = { output_format_json_quote_64bit_integers: 1 } as const;
    const query = { query: `SELECT * FROM ${table}`, format, clickhouse_settings: exact } as const;
    const values = await (await clickhouse.query(query)).json();
    return async () => {
      await clickhouse.command({ query: `TRUNCATE TABLE ${table}` });
      await clickhouse.insert({ table, values, format });
    };
  }

  it('have the person again, which is found, and lose them again', async () => {
    const { alias, table } = names();
    // Not on the servers' disks, where the erasure would look.
    const restores = [await indexBackup(alias), await tableBackup(table)];

    expect((await commands.run(['erase', '--subject', 'customer:7', '--reason', 'Art. 17'])).code).toBe(0);
    await live.expectEqual();

    for (const restore of restores) await restore();

    // The source has the row still: it was left to the application.
    const found = await commands.run(['reconcile', '--json']);
    expect(found.code).toBe(1);
    const { tables } = JSON.parse(found.out) as { tables: { found: { store: string; is: string }[] }[] };
    expect(tables[0]!.found.map(({ store, is }) => `${store} ${is}`)).toEqual([
      'elasticsearch extra',
      'clickhouse extra',
    ]);
    const repaired = await commands.run(['reconcile', '--repair', '--json']);
    expect(repaired.code, repaired.out + repaired.err).toBe(0);
    await live.expectEqual();
    expect(await commands.countsOf(7)).toEqual([[1, 0, 0]]);
  });
});
