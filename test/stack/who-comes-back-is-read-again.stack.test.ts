import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRetained } from '../../erasure/retained-rows.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { partitionScope } from '../../cli/partition-scope.ts';
import { inPartition } from '../../pipeline/in-partition.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { PartitionSession } from '../../pipeline/partition-session.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = (table: string, key: string, column: string) => `table: public.${table}
owner: o
tier: 1
subject: { type: customer, key: ${key} }
sinks: [elasticsearch, clickhouse]
staleness: 30s
erasure: { source: application${key === 'id' ? '' : ', retain: { columns: [text], basis: law, for: 1y }'} }
columns:
  id: { classification: person.id, action: keep }
${key === 'id' ? '' : `  ${key}: { classification: person.id, action: keep }\n`}  ${column}: { classification: person.contact, action: encrypt }
`;

/**
 * An erasure's tombstones stand above the source's position. Of a table that nobody has written to since, a row that is read again stands
 * right after the last change of its partition, which is older.
 */
describe('a person who comes back', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(
      await acquireStack(),
      {
        'customers.yaml': contract('customers', 'id', 'email'),
        'notes.yaml': contract('notes', 'customer_id', 'text'),
      },
      1,
    );
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table customers (id int primary key, email text);
      create table notes (id int primary key, customer_id int not null references customers, text text);
      create index on notes (customer_id);
      insert into customers select i, 'mail-' || i from generate_series(1, 20) i;
      insert into notes select i, 1 + i % 20, 'note ' || i from generate_series(1, 60) i`);
    await live.apply();
    await live.ready(live.run());
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  /** What readmits customer 7: one asks, two others approve. */
  async function approvedOfficer(): Promise<Record<string, string>> {
    const token = async (name: string) => {
      await commands.json('access', 'add', name, '--role', 'compliance');
      return { LETHE_TOKEN: (await commands.json<{ text: string }>('access', 'token', name)).text };
    };
    const [officer, ...others] = [await token('officer'), await token('second'), await token('third')];
    const asked = await commands.run(
      ['glass', 'ask', '--for', 'readmit', '--reason', 'a customer again', '--json'],
      officer,
    );
    expect(asked.code, asked.err).toBe(0);
    const { id } = JSON.parse(asked.out) as { id: string };
    for (const by of others) {
      const approved = await commands.run(['glass', 'approve', id], by);
      expect(approved.code, approved.err).toBe(0);
    }
    return officer;
  }

  it('has the rows that the application had kept in both stores again, though nobody touched them since', async () => {
    await commands.json('erase', '--subject', 'customer:7', '--reason', 'Art. 17');
    expect(await commands.countsOf(7)).toEqual([
      [1, 0, 0],
      [3, 0, 0],
    ]);
    const kept = () => withKeyStore(live.project!.config, (store) => readRetained(store));
    expect(await kept()).toHaveLength(3);
    const officer = await approvedOfficer();
    const done = await commands.run(['readmit', '--subject', 'customer:7', '--json'], officer);
    expect(done.code, done.err).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({ rows: 4 });
    const back = JSON.stringify([
      [1, 1, 1],
      [3, 3, 3],
    ]);
    await waitUntil(
      async () => JSON.stringify(await commands.countsOf(7)) === back,
      60_000,
      'the rows to come',
    );
    // What was kept by law apart of the person does not stand beside what is the person's again.
    expect(await kept()).toEqual([]);
    await live.expectEqual();
  });

  it('is followed as everybody else from then on', async () => {
    await client.query(`
      update notes set text = 'changed ' || id where id % 3 = 0;
      update customers set email = 'new' where id in (7, 8);
      delete from notes where customer_id = 7 and id < 10;
      insert into notes values (100, 7, 'new'), (101, 8, 'new')`);
    await live.expectEqual();
  });

  it('lets a command take a partition that somebody else takes in the same moment', async () => {
    const { config } = live.project!;
    const admin = createKafka(config, 'test').admin();
    await admin.connect();
    const scope = { ...partitionScope(config, admin, 'public.notes', 0), output: [] };
    let attempts = 0;
    try {
      await inPartition(scope, async (session) => {
        attempts++;
        if (attempts === 1) await (await PartitionSession.open(scope)).close();
        await session.commit(nothing(), session.nextOffset!, session.clock);
      });
    } finally {
      await admin.disconnect();
    }
    expect(attempts).toBeGreaterThan(1);
    await client.query(`update notes set text = 'once more' where id < 30`);
    await live.expectEqual();
  });
});

async function* nothing(): AsyncGenerator<never> {}
