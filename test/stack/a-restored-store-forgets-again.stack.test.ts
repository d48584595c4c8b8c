import { Client as Elasticsearch } from '@elastic/elasticsearch';
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

  /** Makes `to` of `from`, with the same documents in the same versions. */
  async function copyIndex(from: string, to: string, aliases = {}): Promise<void> {
    await elastic.indices.putSettings({ index: from, settings: { 'index.blocks.write': true } });
    await elastic.indices.clone({
      index: from,
      target: to,
      aliases,
      settings: { 'index.blocks.write': null },
    });
    await elastic.indices.putSettings({ index: from, settings: { 'index.blocks.write': null } });
    await elastic.cluster.health({ index: to, wait_for_status: 'yellow' });
  }

  it('have the person again, which is found, and lose them again', async () => {
    const { alias, table } = names();
    const [index] = Object.keys(await elastic.indices.getAlias({ name: alias })) as [string];
    const { aliases } = (await elastic.indices.getAlias({ index }))[index]!;
    await copyIndex(index, `${index}-backup`);
    await clickhouse.command({ query: `CREATE TABLE ${table}_backup AS ${table}` });
    await clickhouse.command({ query: `INSERT INTO ${table}_backup SELECT * FROM ${table}` });

    expect((await commands.run(['erase', '--subject', 'customer:7', '--reason', 'Art. 17'])).code).toBe(0);
    await live.expectEqual();

    await elastic.indices.delete({ index });
    await copyIndex(`${index}-backup`, index, aliases);
    await clickhouse.command({ query: `TRUNCATE TABLE ${table}` });
    await clickhouse.command({ query: `INSERT INTO ${table} SELECT * FROM ${table}_backup` });

    // The source has the row still: it was left to the application.
    const found = await commands.run(['reconcile', '--json']);
    expect(found.code).toBe(1);
    expect(found.out).toContain('"extra":1');
    const repaired = await commands.run(['reconcile', '--repair', '--json']);
    expect(repaired.code, repaired.out + repaired.err).toBe(0);
    await live.expectEqual();
    expect(await commands.countsOf(7)).toEqual([[1, 0, 0]]);
    await elastic.indices.delete({ index: `${index}-backup` });
    await clickhouse.command({ query: `DROP TABLE ${table}_backup` });
  });
});
