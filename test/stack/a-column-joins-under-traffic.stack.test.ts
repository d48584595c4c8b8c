import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../cli/plan.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { startTraffic, type Traffic } from '../../examples/beancart/traffic.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanAvroSchema } from '../../schemas/clean-schema.ts';
import { cleanTopic, clickhouseDatabase, clickhouseView, indexAlias } from '../../schemas/names.ts';
import { avroType, Registry } from '../../schemas/registry.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { StepFollower } from '../support/follow-steps.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';

const table = 'public.subscriptions';
const column = 'preferred_delivery_window';
const statement = `ALTER TABLE subscriptions ADD COLUMN ${column} text`;

/** Invariant: a column that is classified flows to every place while traffic runs, and whoever reads by the schema of before goes on. */
describe('a column that joins BeanCart’s subscriptions', () => {
  let live: LivePipeline;
  let client: Client;
  let follower: StepFollower;
  let traffic: Traffic;
  /** The schema that a consumer was built with before there was the column. */
  let consumer: ReturnType<typeof avroType>;
  const config = () => live.project!.config;

  beforeAll(async () => {
    live = await LivePipeline.create(await acquireStack(), 'examples/beancart/lethe.yaml', 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await loadSchema(client);
    await loadSample(client, { customers: 40, seed: 7 });
    const { datasets } = await live.apply();
    consumer = avroType(cleanAvroSchema(datasets.find((dataset) => dataset.table === table)!));
    const instance = live.run();
    await live.ready(instance);
    follower = new StepFollower(live, client, instance);
    traffic = startTraffic(live.source.url, { seed: 7, transactionsPerSecond: 10 });
    await waitUntil(() => traffic.report().transactions >= 20, 120_000, 'traffic');
  });

  afterAll(async () => {
    await traffic?.stop();
    await client?.end();
    await live?.close();
  });

  it('is planned as schema, mapping and column, and all follow when the printed order is followed', async () => {
    const { code, statements } = await follower.migrate(statement);
    const { outcome, steps } = statements[0]!;
    expect([code, outcome, steps.map(({ kind }) => kind)]).toEqual([
      0,
      'safe',
      ['sql', 'edit', 'run', 'run', 'restart'],
    ]);
    await client.query(steps[0]!.text);
    // The application's next release sets it, before and after anybody has classified it.
    await client.query(`update subscriptions set ${column} = 'morning' where every_days <= 30`);
    const file = resolve(live.folder, steps[1]!.file!);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, `${text.trimEnd()}\n  ${column}: { classification: internal, action: keep }\n`);
    const plan = await runCommand(planCommand(), ['-c', live.configPath, '--json'], live.env);
    expect(plan.code).toBe(0);
    const { changes } = JSON.parse(plan.out) as { changes: { system: string; summary: string }[] };
    const planned = (system: string) =>
      changes.filter((change) => change.system === system).map(({ summary }) => summary);
    expect(planned('registry')).toEqual([
      expect.stringContaining('new schema, which reads all that older ones wrote'),
    ]);
    expect(planned('elasticsearch')).toEqual([expect.stringMatching(`gets ${column}`)]);
    expect(planned('clickhouse').join('\n')).toMatch(`gets ${column}`);
    await follower.follow(steps.slice(2));
    await client.query(`update subscriptions set ${column} = 'evening' where every_days > 30`);
    // The traffic deletes some of them meanwhile.
    await waitUntil(async () => (await filled()) >= (await atSource()), 120_000, 'the column to be filled');
  });

  it('is equal everywhere to what the source has', async () => {
    const report = await traffic.stop();
    expect(report.failures).toEqual({});
    // The contract has another column than at the start.
    await live.open();
    await live.expectEqual();
    const rows = await atSource();
    expect(rows).toBeGreaterThan(0);
    expect([await filled(), await found()]).toEqual([rows, rows]);
  });

  it('does not trouble a consumer that reads by the schema of before', async () => {
    const registry = new Registry(config().registry);
    const read: object[] = [];
    let withColumn = 0;
    const values: Buffer[] = [];
    await readTopics(createKafka(config(), 'test'), [cleanTopic(config(), table)], ({ message }) => {
      if (message.value) values.push(message.value);
    });
    for (const value of values) {
      const writer = await registry.decoder(value.readInt32BE(1));
      const body = value.subarray(5);
      const old = consumer.fromBuffer(body, consumer.createResolver(writer)) as Record<string, unknown>;
      const now = writer.fromBuffer(body) as Record<string, unknown>;
      if (Object.hasOwn(now, column)) withColumn++;
      delete now[column];
      expect({ ...old }).toEqual({ ...now });
      read.push(old);
    }
    expect(withColumn).toBeGreaterThan(0);
    expect(read.length).toBe(values.length);
  });

  /** Rows of the source that have the column. */
  async function atSource(): Promise<number> {
    const { rows } = await client.query<{ n: number }>(
      `select count(*)::int as n from subscriptions where ${column} is not null`,
    );
    return rows[0]!.n;
  }

  /** Rows of the view, and documents of the alias, that have the column. */
  async function filled(): Promise<number> {
    const clickhouse = createClickhouseClient(config().clickhouse!);
    try {
      const view = `"${clickhouseDatabase(config())}"."${clickhouseView(table)}"`;
      const answer = await clickhouse.query({
        query: `select count() as n from ${view} where ${column} is not null`,
        format: 'JSONEachRow',
      });
      return Number((await answer.json<{ n: string }>())[0]!.n);
    } finally {
      await clickhouse.close();
    }
  }

  async function found(): Promise<number> {
    const search = createElasticsearchClient(config().elasticsearch!);
    try {
      const index = indexAlias(config(), table);
      await search.indices.refresh({ index });
      const { count } = await search.count({ index, query: { exists: { field: column } } });
      return count;
    } finally {
      await search.close();
    }
  }
});
