import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planCommand } from '../../cli/plan.ts';
import type { ColumnOutcome } from '../../schemas/column-outcome.ts';
import { keysCommand } from '../../cli/keys.ts';
import { describeCiphertext } from '../../keys/ciphertext.ts';
import { destroyKey } from '../../keys/destroy-key.ts';
import { readKeyStoreStatus } from '../../keys/key-store-status.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { turnEpoch } from '../../keys/turn-epoch.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { backUpKeyStore, type KeyStoreBackup, restoreKeyStore } from '../support/key-store-copy.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack, freshDatabase, type TestDatabase, type TestStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
  mail: { classification: person.contact, action: hash }
  phone: { classification: person.contact, action: tokenise }
  card: { classification: payment.card, action: format-preserving }
  ref: { classification: person.id, action: hash, domain: refs }
`;
const kind = { type: 'customer' };
/** More keys than a batch of a turn takes. */
const rows = 2_500;

/**
 * Invariant: after a turn all that is left opens as before, and what was erased before it opens from nothing that was ever stored, with
 * nothing that is left.
 */
describe('the epoch of the key store', { timeout: 300_000 }, () => {
  let stack: TestStack;
  let live: LivePipeline;
  let client: Client;
  let instance: Instance;
  let backup: KeyStoreBackup;
  const restored: TestDatabase[] = [];
  const config = () => live.project!.config;
  const masterFile = () => live.env['LETHE_MASTER_FILE']!;

  /** The pipeline's key store as a backup had it, with these master keys. */
  async function fromBackup(file: string) {
    const database = await freshDatabase(stack.endpoints, 'keys_backup');
    restored.push(database);
    await restoreKeyStore(database.url, backup);
    return openKeyStore({ keys: { url: database.url, master: { kind: 'local', file } } });
  }

  beforeAll(async () => {
    stack = await acquireStack();
    live = await LivePipeline.ofContracts(stack, { 'people.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(
      `create table people (id int primary key, name text, mail text, phone text, card text, ref text)`,
    );
    await client.query(`insert into people
      select g, 'Name ' || g, g || '@example.org', '+49 ' || g, lpad(g::text, 16, '4'), 'R' || g
        from generate_series(1, ${rows}) g`);
    await live.apply();
    instance = live.run();
    await live.ready(instance);
    await live.expectEqual();
  }, 300_000);

  afterAll(async () => {
    await client?.end();
    await live?.close();
    await Promise.all(restored.map((database) => database.drop()));
  });

  it('turns while rows change and persons come: all is readable as before, the new ones are under the new epoch', async () => {
    backup = await backUpKeyStore(live.env['LETHE_KEYS_URL']!);
    copyFileSync(masterFile(), join(live.folder, 'master-before.json'));
    await client.query('delete from people where id = 7');
    expect(await destroyKey(config(), kind, '7')).toMatchObject({ generations: 1 });
    expect(await destroyKey(config(), kind, '7')).toMatchObject({ generations: 0 });
    expect(await readKeyStoreStatus(config())).toMatchObject({ keys: { destroyed: 1 }, provisional: 1 });

    let next = rows;
    const stopped = new AbortController();
    const traffic = (async () => {
      while (!stopped.signal.aborted) {
        next++;
        await client.query('insert into people values ($1, $2, $3, $4, $5, $6)', [
          next,
          `Name ${next}`,
          `${next}@example.org`,
          `+49 ${next}`,
          String(next).padStart(16, '4'),
          `R${next}`,
        ]);
        await client.query('update people set name = $2 where id = $1', [1 + (next % 6), `Changed ${next}`]);
      }
    })();
    const steps: number[] = [];
    const turn = await turnEpoch(config(), { onProgress: (left) => steps.push(left) });
    stopped.abort();
    await traffic;
    expect(turn).toMatchObject({ epoch: 2, ended: [{ epoch: 1, destruction: { state: 'destroyed' } }] });
    // All persons but the erased one, the dead letters' key if there is one, and the two secrets.
    expect(turn.rewrapped).toBeGreaterThanOrEqual(rows - 1 + 2);
    expect(steps.length).toBeGreaterThan(2);
    await live.expectEqual();
    const status = await readKeyStoreStatus(config());
    expect(status).toMatchObject({
      epochs: [
        { epoch: 2, state: 'open' },
        { epoch: 1, state: 'destroyed' },
      ],
      keys: { destroyed: 1 },
      provisional: 0,
    });
    expect(instance.child.exitCode).toBe(null);
  });

  it('is undecipherable in a backup from before, with the master keys that are left; not with a copy of those from then', async () => {
    const after = await fromBackup(masterFile());
    await expect(after.dataKeys(kind, ['7'])).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await after.close();
    // What the status calls provisional, and why a master key must have no backup: such a copy opens it.
    const before = await fromBackup(join(live.folder, 'master-before.json'));
    const [open] = await before.dataKeys(kind, ['7']);
    expect(open).not.toBe(null);
    await before.close();
    const { keys } = JSON.parse(readFileSync(masterFile(), 'utf8')) as { keys: object };
    expect(Object.keys(keys)).toHaveLength(1);
  });

  it('that was cut short in its turn is turned by the next, and nobody is left behind', async () => {
    const stopped = new AbortController();
    const cut = turnEpoch(config(), { signal: stopped.signal, onProgress: () => stopped.abort() });
    await expect(cut).rejects.toThrow();
    expect((await readKeyStoreStatus(config())).epochs).toMatchObject([
      { epoch: 3, state: 'open' },
      { epoch: 2, state: 'closing' },
      { epoch: 1, state: 'destroyed' },
    ]);
    // Some keys are under the one epoch, some under the other, and a person who comes now gets the newer.
    await client.query(`update people set name = name || '!'`);
    await client.query(`insert into people values (0, 'Came in between', null, null, null, null)`);
    await live.expectEqual();
    const { code, out } = await runCommand(
      keysCommand(),
      ['turn', '-c', live.configPath, '--json'],
      live.env,
    );
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ epoch: 3, ended: [{ epoch: 2 }] });
    await waitUntil(
      async () => {
        const { epochs } = await readKeyStoreStatus(config());
        return epochs.every(({ epoch, state }) => state === (epoch === 3 ? 'open' : 'destroyed'));
      },
      10_000,
      'the end of the older epochs',
    );
    await client.query(`update people set name = name || '?' where id < 100`);
    await live.expectEqual();
  });

  it('a person’s key goes on in the next generation; what was encrypted before, and pseudonyms, stay what they are', async () => {
    const rotate = (subject: string) =>
      runCommand(keysCommand(), ['rotate', '--subject', subject, '-c', live.configPath, '--json'], live.env);
    const { code, out: said } = await rotate('customer:3');
    expect({ code, ...(JSON.parse(said) as object) }).toMatchObject({ code: 0, generation: 2 });
    for (const [subject, why] of [
      ['customer:7', 'was destroyed'],
      ['customer:999999', 'was never made'],
      ['employee:3', 'was never made'],
    ] as const) {
      expect(await rotate(subject)).toMatchObject({ code: 1, err: expect.stringContaining(why) });
    }
    expect(await rotate('customer')).toMatchObject({ code: 2 });
    instance.child.kill();
    await instance.ended;
    instance = live.run();
    await live.ready(instance);
    await client.query(`update people set name = name || '.' where id in (3, 4)`);
    await live.expectEqual();
    const generations = new Map<string, number>();
    await readTopics(
      createKafka(config(), 'test'),
      [cleanTopic(config(), 'public.people')],
      ({ message }) => {
        // Frame, id in one byte, the branch and the length of the ciphertext, which names its generation.
        const at = message.value?.indexOf(2, 7) ?? -1;
        const named = message.value && describeCiphertext(message.value.subarray(at));
        if (named) generations.set(String(message.key), named.generation);
      },
    );
    expect([generations.get('3'), generations.get('4')]).toEqual([2, 1]);
    const { out } = await runCommand(keysCommand(), ['status', '-c', live.configPath], live.env);
    expect(out).toContain('environment demo');
    const plan = await runCommand(planCommand(), ['--columns', '-c', live.configPath, '--json'], live.env);
    const { columns, changes } = JSON.parse(plan.out) as { columns: ColumnOutcome[]; changes: unknown[] };
    expect(changes).toEqual([]);
    const forgotten = Object.fromEntries(columns.map((one) => [one.column, one.shared ?? one.forgotten]));
    expect(forgotten).toEqual({
      id: 'deletion',
      name: 'key',
      mail: 'key',
      phone: 'key',
      card: 'key',
      ref: 'join domain refs',
    });
  });
});
