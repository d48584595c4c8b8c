import { readFileSync } from 'node:fs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorKeys } from '../../cli/anchored-keys.ts';
import { applyProject } from '../../cli/apply.ts';
import { auditCommand } from '../../cli/audit.ts';
import { readStatus } from '../../cli/pipeline-status.ts';
import { type AuditEntry, chainHash } from '../../keys/audit/entry.ts';
import { lastEntries } from '../../keys/audit/read-audit.ts';
import { describeCiphertext } from '../../keys/ciphertext.ts';
import { destroyKey } from '../../keys/destroy-key.ts';
import { uuidText } from '../../keys/uuid.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { runCommand } from '../support/run-command.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
`;
const kind = { type: 'customer' };
/** The lease is a second, and a batch that has its keys may be under way: a machine with much to do gets some more. */
const mostMs = 10_000;

/** Invariant: a destroyed key is used no more, in any process, and no other is made; what was done with keys cannot be unsaid. */
describe('a key that was destroyed', { timeout: 300_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  const instances: Instance[] = [];
  const config = () => live.project!.config;
  const person = 7;

  /** When records of the clean topic were written under this key, ms since the epoch. */
  async function writtenUnder(keyId: string): Promise<number[]> {
    const times: number[] = [];
    await readTopics(
      createKafka(config(), 'test'),
      [cleanTopic(config(), 'public.people')],
      ({ message }) => {
        const at = message.value?.indexOf(Buffer.from(keyId.replaceAll('-', ''), 'hex')) ?? -1;
        if (at < 1) return;
        expect(uuidText(describeCiphertext(message.value!.subarray(at - 1))!.keyId)).toBe(keyId);
        times.push(Number(message.timestamp));
      },
    );
    return times.sort((a, b) => a - b);
  }

  /** How many deletes the clean topic has of a person's row: a row of somebody who was erased leaves nothing else. */
  async function deletesOf(id: number): Promise<number> {
    let deletes = 0;
    const key = encodeRecordKey([String(id)]);
    await readTopics(
      createKafka(config(), 'test'),
      [cleanTopic(config(), 'public.people')],
      ({ message }) => {
        if (message.value === null && message.key?.toString() === key) deletes++;
      },
    );
    return deletes;
  }

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table people (id int primary key, name text)');
    await client.query(`insert into people select g, 'Name ' || g from generate_series(1, 50) g`);
    await live.apply();
    for (let i = 0; i < 2; i++) {
      const instance = live.run();
      instances.push(instance);
      await live.ready(instance);
    }
    await live.expectEqual();
  }, 300_000);
  afterAll(async () => {
    await client?.end();
    await live?.close();
  });

  it('is dropped by every running process within its lease, and what comes later of the person is refused', async () => {
    const stopped = new AbortController();
    let changes = 0;
    const traffic = (async () => {
      while (!stopped.signal.aborted) {
        await client.query('update people set name = $2 where id = $1', [
          person,
          `Name in change ${++changes}`,
        ]);
        await client.query('update people set name = $2 where id = $1', [person + 1, `Name ${changes}`]);
      }
    })();
    await waitUntil(() => changes > 200, 60_000, 'changes');
    const { keyId, generations } = await destroyKey(config(), kind, String(person));
    const destroyedMs = Date.now();
    expect(generations).toBe(1);
    await waitUntil(
      async () => (await deletesOf(person)) > 20,
      60_000,
      'deletes instead of rows of the person',
    );
    const before = await deletesOf(person);
    await waitUntil(async () => (await deletesOf(person)) > before, 60_000, 'more of them');
    stopped.abort();
    await traffic;
    const times = await writtenUnder(keyId);
    expect(times.length).toBeGreaterThan(1);
    const lastMs = times.at(-1)! - destroyedMs;
    console.log(`the last record under the key was written ${lastMs} ms after it was destroyed`);
    expect(lastMs).toBeLessThan(mostMs);
    expect(instances.map(({ child }) => child.exitCode)).toEqual([null, null]);
  });

  it('of a person who had none is barred: none is made when the first row comes', async () => {
    const { generations } = await destroyKey(config(), kind, '900');
    expect(generations).toBe(0);
    await client.query(`insert into people values (900, 'Comes too late'), (901, 'Comes in time')`);
    await waitUntil(async () => (await deletesOf(900)) > 0, 60_000, 'a delete instead of the row');
    await client.query(`update people set name = 'Still too late' where id = 900`);
    await waitUntil(async () => (await deletesOf(900)) > 1, 60_000, 'another one');
    const { deadLetters } = await readStatus(config(), live.project!.datasets);
    expect(deadLetters).toEqual([]);
  });

  it('stands in the audit, which shows when an entry is changed, left out or put in between', async () => {
    const audit = async (...args: string[]) =>
      runCommand(auditCommand(), [...args, '-c', live.configPath, '--json'], live.env);
    const verified = async () => {
      const { code, out } = await audit('verify');
      return { code, ...(JSON.parse(out) as { entries: number; broken?: { seq: string; why: string } }) };
    };
    const whole = await verified();
    expect(whole).toMatchObject({ code: 0, entries: 4 });
    const { out } = await audit('list');
    const entries = JSON.parse(out) as { seq: string; action: string; principal: string }[];
    expect(entries.map(({ action }) => action)).toEqual([
      'store-made',
      'epoch-opened',
      'key-destroyed',
      'key-destroyed',
    ]);
    expect(out).not.toContain(`"${person}"`);
    const keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
    await expect(keys.query('delete from lethe_keys.audit')).rejects.toThrow('append-only');
    await expect(keys.query('truncate lethe_keys.audit')).rejects.toThrow('append-only');
    // Whoever owns the table can take the trigger away; the chain stays.
    await keys.query('alter table lethe_keys.audit disable trigger user');
    const tamperings: readonly (readonly [string, string, string])[] = [
      [`update lethe_keys.audit set principal = 'user:nobody' where seq = 3`, '3', 'not what was written'],
      [
        `update lethe_keys.audit set details = details || '{"generations": 9}' where seq = 2`,
        '2',
        'not what was written',
      ],
      [
        `update lethe_keys.audit set at = at - interval '1 microsecond' where seq = 4`,
        '4',
        'not what was written',
      ],
      ['delete from lethe_keys.audit where seq = 3', '4', 'entry 3 is missing'],
      [
        `insert into lethe_keys.audit select 5, at, principal, action, details, hash from lethe_keys.audit where seq = 4`,
        '5',
        'not what was written',
      ],
    ];
    for (const [statement, seq, why] of tamperings) {
      await keys.query('begin');
      await keys.query('create table kept as select * from lethe_keys.audit');
      await keys.query(statement);
      await keys.query('commit');
      expect(await verified()).toMatchObject({
        code: 1,
        broken: { seq, why: expect.stringContaining(why) },
      });
      await keys.query('delete from lethe_keys.audit');
      await keys.query('insert into lethe_keys.audit select * from kept');
      await keys.query('drop table kept');
    }
    expect(await verified()).toEqual(whole);
    await keys.end();
  });

  it('cannot be taken back by an older key store, nor by a chain that was made anew', async () => {
    await anchorKeys(config());
    const keys = new Client({ connectionString: live.env['LETHE_KEYS_URL']! });
    await keys.connect();
    const audit = () => runCommand(auditCommand(), ['verify', '-c', live.configPath], live.env);
    expect(await audit()).toMatchObject({ code: 0 });
    await keys.query('create table kept as select * from lethe_keys.audit');
    const last = (await lastEntries(keys, 2)) as [AuditEntry, AuditEntry];
    const tamperings: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
      [() => keys.query('delete from lethe_keys.audit where seq = 4'), /ends at entry 3, before entry 4/],
      [
        async () => {
          let before = (await keys.query<{ hash: Buffer }>('select hash from lethe_keys.audit where seq = 2'))
            .rows[0]!.hash;
          for (const entry of last) {
            before = chainHash(before, { ...entry, principal: 'user:nobody' });
            await keys.query(
              `update lethe_keys.audit set principal = 'user:nobody', hash = $2 where seq = $1`,
              [entry.seq, before],
            );
          }
        },
        /entry 4 of its audit is not the one that is noted/,
      ],
    ];
    for (const [tamper, said] of tamperings) {
      await tamper();
      expect(await audit()).toMatchObject({ code: 1, err: expect.stringMatching(said) });
      const run = live.run();
      expect(await run.ended).toBe(1);
      expect(readFileSync(run.logFile, 'utf8')).toMatch(said);
      const apply = applyProject(live.configPath);
      await expect(apply).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
      await keys.query('delete from lethe_keys.audit');
      await keys.query('insert into lethe_keys.audit select * from kept');
    }
    expect(await audit()).toMatchObject({ code: 0 });
    await keys.end();
  });
});
