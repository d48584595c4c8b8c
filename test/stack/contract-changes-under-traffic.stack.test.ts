import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyProject } from '../../cli/apply.ts';
import { type ContractStatus, readContractStatus } from '../../cli/contract-status.ts';
import { clickhouseDatabase, clickhouseView } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (columns: string, head = '') => `table: public.notes
owner: test@lethe.example
tier: 1
${head}sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  author: { classification: person.name, action: keep }
${columns}`;
const city = '  city: { classification: location, action: keep }\n';
const masked = '  city: { classification: location, action: mask, keepStart: 1 }\n';
const phone = '  phone: { classification: person.contact, action: mask, keepEnd: 2 }\n';

describe('a contract and its table that change under live traffic', () => {
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;
  let traffic: Promise<void>;
  const stopped = new AbortController();

  const file = () => join(live.folder, 'contracts', 'notes.yaml');
  const status = async (): Promise<ContractStatus> => {
    const { config, datasets, catalog } = live.project!;
    const [table] = await readContractStatus(config, datasets, catalog);
    return table!;
  };
  /** What an operator does: write the contract, apply, start the processors again. */
  const change = async (text: string): Promise<void> => {
    writeFileSync(file(), text);
    await live.apply();
    const old = instance;
    instance = live.run();
    await live.ready(instance);
    old.child.kill('SIGTERM');
    await old.ended;
  };
  const count = () => client.query<{ n: number }>('select count(*)::int as n from notes');

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'notes.yaml': contract(city) }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(
      'create table notes (id int generated always as identity primary key, author text, city text)',
    );
    await client.query(
      `insert into notes (author, city) select 'Author ' || g, 'City ' || g from generate_series(1, 200) g`,
    );
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    const writer = new Client({ connectionString: live.source.url });
    await writer.connect();
    traffic = (async () => {
      for (let i = 0; !stopped.signal.aborted; i++) {
        await writer.query(`insert into notes (author) values ('Live ' || $1)`, [String(i)]);
        await writer.query('update notes set author = author where id = 1 + $1 % 200', [i]);
        await sleep(20);
      }
      await writer.end();
    })();
  });

  afterAll(async () => {
    stopped.abort();
    await traffic;
    await client?.end();
    await live?.close();
  });

  /** Stops the traffic, compares, and lets it go on. */
  async function expectEqual(): Promise<void> {
    const [comparison] = await live.expectEqual();
    expect(comparison!.rows).toBe((await count()).rows[0]!.n);
  }

  /** How many of the view's rows a condition holds of. */
  async function countRows(condition: string): Promise<number> {
    const { config } = live.project!;
    const clickhouse = createClickhouseClient(config.clickhouse!);
    try {
      const view = `"${clickhouseDatabase(config)}"."${clickhouseView('public.notes')}"`;
      const answer = await clickhouse.query({
        query: `select count() as n from ${view} where ${condition}`,
        format: 'JSONEachRow',
      });
      return Number((await answer.json<{ n: string }>())[0]!.n);
    } finally {
      await clickhouse.close();
    }
  }

  async function quiet(): Promise<void> {
    stopped.abort();
    await traffic;
  }

  it('a new column does not pass, is shown as unclassified, and the table goes on', async () => {
    await client.query(`alter table notes add column phone text default '+49 30 5550100'`);
    await client.query(`insert into notes (author, phone) values ('With phone', '+49 30 5550111')`);
    const project = await live.open();
    expect((await readContractStatus(project.config, project.datasets, project.catalog))[0]).toMatchObject({
      table: 'public.notes',
      unclassified: ['phone'],
      state: 'applied',
    });
  });

  it('once classified it is filled for all rows by an incremental snapshot, while an older instance waits', async () => {
    writeFileSync(file(), contract(city + phone));
    await live.apply();
    // The instance that is left behind writes nothing any more under the contract it was started with.
    await waitUntil(
      () => readFileSync(instance.logFile, 'utf8').includes('TABLE_HALTED'),
      30_000,
      'the older instance to wait',
    );
    expect(await status()).toMatchObject({ state: 'pending', changed: ['phone'] });
    const old = instance;
    instance = live.run();
    await live.ready(instance);
    old.child.kill('SIGTERM');
    await old.ended;
    const filled = async () => (await countRows('id <= 200 and phone is null')) === 0;
    await waitUntil(filled, 60_000, 'all rows to have the new column');
  });

  it('a column that is tightened is not yet protected until nothing older is left anywhere', async () => {
    await change(contract(masked + phone));
    await waitUntil(async () => (await status()).left?.topic !== undefined, 30_000, 'a pending status');
    expect(await status()).toMatchObject({ state: 'pending', changed: ['city'] });
    await quiet();
    await expectEqual();
    // All rows are read again; what they replaced may still lie in files, and status says so.
    expect(await status()).toMatchObject({ state: 'pending', left: { elasticsearch: 0, inForce: 0 } });
    // Applied again, they are merged away; the topic's segments were made short, and are compacted.
    await live.apply();
    // Kafka compacts no active segment: what comes later starts the next one.
    const isDone = async () => {
      await client.query('update notes set author = author where id <= 50');
      return (await status()).state === 'applied';
    };
    await waitUntil(isDone, 120_000, 'nothing older to be left');
    const lines = await live.apply().then(() => applyProject(live.configPath));
    expect(lines).toEqual([]);
  });

  it('a listed column can be neither dropped nor retyped: Postgres itself refuses, and all goes on', async () => {
    await expect(client.query('alter table notes drop column city')).rejects.toMatchObject({ code: '2BP01' });
    await expect(client.query('alter table notes alter column city type varchar(50)')).rejects.toMatchObject({
      code: '0A000',
    });
    await client.query(`insert into notes (author) values ('After the refusals')`);
    await expectEqual();
  });

  it('a listed column that is renamed halts its table, until the contract follows or it is taken back', async () => {
    await client.query('alter table notes rename column city to town');
    await client.query(`insert into notes (author, town) values ('Renamed', 'Hidden')`);
    await waitUntil(
      () => readFileSync(instance.logFile, 'utf8').includes('renamed or dropped at the source: city'),
      30_000,
      'the table to halt',
    );
    await expect(live.open()).rejects.toMatchObject({ code: 'CONTRACT_INVALID' });
    await client.query('alter table notes rename column town to city');
    // The events of the time between have no city: their rows are read again.
    const filled = async () => (await countRows(`author = 'Renamed' and city is not null`)) === 1;
    await waitUntil(filled, 60_000, 'the row to have its city');
    await expectEqual();
  });

  it('a table that is to halt does so at the first column that its contract does not name', async () => {
    await change(contract(masked + phone, 'unclassified: halt\n'));
    await client.query('alter table notes add column mood text');
    // It is seen within a second: what comes before that goes on.
    const isHalted = async () => {
      await client.query(`insert into notes (author) values ('Halted')`);
      return readFileSync(instance.logFile, 'utf8').includes('that its contract does not name: mood');
    };
    await waitUntil(isHalted, 30_000, 'the table to halt');
    await client.query('alter table notes drop column mood');
    await expectEqual();
  });
});
