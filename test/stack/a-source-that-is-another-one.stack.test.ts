import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Alarm } from '../../cli/alarms.ts';
import { checkCommand } from '../../cli/check.ts';
import { planCommand } from '../../cli/plan.ts';
import { reconcileCommand } from '../../cli/reconcile.ts';
import { statusCommand } from '../../cli/status.ts';
import { deleteCapture } from '../../connectors/connect/delete-connector.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { header } from '../../schemas/record-headers.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { parseVersion, type Version } from '../../schemas/version.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { OwnPostgres } from '../support/own-postgres.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.notes
owner: o
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  author: { classification: person.name, action: mask, keepStart: 3 }
`;
const settings = { wal_level: 'logical' };

/** Invariant: what a source says after a failover or a restore is newer than all that was said before, wherever its WAL stands. */
describe('a source that is another one than before', () => {
  let live: LivePipeline;
  let server: OwnPostgres;
  let instance: Instance;

  const command = (make: () => Parameters<typeof runCommand>[0], ...args: string[]) =>
    runCommand(make(), ['-c', live.configPath, ...args], live.env);
  async function alarms(): Promise<readonly Alarm[]> {
    return (JSON.parse((await command(statusCommand, '--json')).out) as { alarms: Alarm[] }).alarms;
  }
  async function reconciled(): Promise<void> {
    const { code, err } = await command(reconcileCommand, 'public.notes', '--repair');
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(await alarms()).toEqual([]);
  }
  /** The newest version of each row in the clean topic, by its key. */
  async function newest(): Promise<Map<string, Version>> {
    const found = new Map<string, Version>();
    const { config } = live.project!;
    await readTopics(createKafka(config, 'test'), [cleanTopic(config, 'public.notes')], ({ message }) => {
      const version = parseVersion(String(message.headers?.[header.version]));
      if (version) found.set(String(message.key), version);
    });
    return found;
  }
  async function epochs(): Promise<bigint[]> {
    return [...new Set([...(await newest()).values()].map(({ epoch }) => epoch))];
  }
  /** What a source has when nobody knows that it is another one. */
  const planned = async () => {
    const { out } = await command(planCommand, '--json');
    return (JSON.parse(out) as { changes: { summary: string }[] }).changes.map(({ summary }) => summary);
  };

  beforeAll(async () => {
    server = await OwnPostgres.create();
    await server.start(settings);
    const source = { url: server.url, drop: async () => {} };
    live = await LivePipeline.ofContracts(await acquireStack(), { 'notes.yaml': contract }, 2, source);
    await server.sql(`
      create table notes (id int primary key, author text);
      insert into notes select g, 'Author ' || g from generate_series(1, 30) g`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    await live.expectEqual();
  });

  afterAll(async () => {
    await live?.close();
    await server?.drop();
  });

  it('is of the first epoch as long as it is the one that it was applied to, restarted or not', async () => {
    await server.abort();
    await server.start(settings);
    await server.sql(`update notes set author = 'Restarted' where id = 1`);
    await live.expectEqual();
    expect(await epochs()).toEqual([1n]);
    expect([await planned(), await alarms()]).toEqual([[], []]);
  });

  it('after a promotion is told, gets the next epoch with apply, and is settled by reconciling', async () => {
    await server.fork();
    await server.start(settings);
    await server.sql(`
      update notes set author = 'On the new line' where id = 2;
      delete from notes where id = 3`);
    await waitUntil(
      () => readFileSync(instance.logFile, 'utf8').includes('ALARM'),
      60_000,
      'the alarm in the log',
    );
    expect(await alarms()).toEqual([
      {
        table: 'public.notes',
        since: expect.stringMatching(/^\d{4}-/),
        what: expect.stringContaining('goes on along timeline 2 instead of 1'),
        fix: expect.stringMatching(/`lethe apply`.*`lethe reconcile public\.notes --repair`/),
      },
    ]);
    expect((await planned()).join('\n')).toMatch(/timeline 2 .*: rows of public\.notes are read again/);
    await live.apply();
    await waitUntil(
      async () => {
        const versions = await newest();
        return [...versions.values()].filter(({ epoch }) => epoch === 2n).length >= 29;
      },
      60_000,
      'all rows under the next epoch',
    );
    await live.expectEqual();
    expect(await alarms()).toMatchObject([{ fix: expect.stringContaining('reconcile') }]);
    await reconciled();
    expect((await planned()).join('\n')).not.toMatch(/timeline|epoch/);
  });

  it('that was restored is refused, as its changes would be passed over, until there is a new snapshot', async () => {
    await server.image();
    await server.start(settings);
    // Two files of WAL later, so that nothing that is done below reaches the place.
    await server.sql(`
      update notes set author = 'After the backup' where id between 4 and 8;
      delete from notes where id in (9, 10);
      insert into notes values (101, 'After the backup');
      select pg_switch_wal()`);
    await server.sql(`update notes set author = 'Much later' where id = 11; select pg_switch_wal()`);
    await server.sql(`update notes set author = 'Last' where id = 12`);
    await live.expectEqual();
    const before = await newest();
    await server.restore();
    await server.start(settings);
    await server.sql(`update notes set author = 'After the restore' where id between 11 and 13`);

    const check = await command(checkCommand, '--json');
    expect(check.code).toBe(1);
    expect((JSON.parse(check.out) as { findings: unknown[] }).findings).toContainEqual(
      expect.objectContaining({ code: 'SLOT_LOST', message: expect.stringContaining('it was restored') }),
    );
    const status = await command(statusCommand, '--json');
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ healthy: false, slot: { rewound: true } });

    await deleteCapture(live.project!.config);
    expect((await planned()).join('\n')).toContain('epoch 3');
    await live.apply();
    await waitUntil(
      async () => [...(await newest()).values()].filter(({ epoch }) => epoch === 3n).length >= 29,
      60_000,
      'a new snapshot',
    );
    await server.sql(
      `update notes set author = 'At home again' where id = 14; delete from notes where id = 15`,
    );
    await reconciled();
    await live.expectEqual();
    const after = await newest();
    // Without its epoch the newer one would have lost: the restored source counts its WAL from before.
    const lower = [...after].filter(([key, { commit }]) => commit < (before.get(key)?.commit ?? 0n));
    expect(lower.map(([key]) => key)).toEqual(expect.arrayContaining(['11', '12']));
    expect((await planned()).join('\n')).not.toMatch(/timeline|epoch/);
  });
});
