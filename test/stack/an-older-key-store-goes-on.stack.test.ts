import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorKeys, requireAnchored } from '../../cli/anchored-keys.ts';
import { applyProject } from '../../cli/apply.ts';
import { fileErasure } from '../../cli/erase/file-request.ts';
import { noteInLedger } from '../../cli/ledger.ts';
import { suppress } from '../../erasure/suppression.ts';
import { lastEntries } from '../../keys/audit/read-audit.ts';
import { associatedData, decrypt, describeCiphertext } from '../../keys/ciphertext.ts';
import { destroyKeyOf } from '../../keys/destroy-key.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { uuidText } from '../../keys/uuid.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { readmitSubject } from '../../keys/readmit-subject.ts';
import { turnEpoch } from '../../keys/turn-epoch.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { writeLedgerTopic } from '../../pipeline/ledger-topic.ts';
import { type Noted, readNoted } from '../../pipeline/noted-topic.ts';
import { readTopics } from '../../pipeline/read-topics.ts';
import { keyUse } from '../../schemas/key-use.ts';
import { cleanTopic, ledgerTopic } from '../../schemas/names.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { KeyStoreImage } from '../support/key-store-image.ts';
import { LetheCommands } from '../support/lethe-commands.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const contract = `table: public.people
owner: o
tier: 1
subject: { type: customer, key: id }
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: person.name, action: encrypt }
`;
const kind = { type: 'customer' };
const use = keyUse('encrypt', 'public.people', 'person.name');

interface Planned {
  readonly state: string;
  readonly erase: number;
  readonly returned: number;
  readonly suppress: number;
  readonly lift: number;
  readonly leftOut: number;
  readonly lostRequests: readonly { readonly request: string; readonly state: string }[];
  readonly openRequests: readonly string[];
}

/**
 * Invariant: with an older backup of the key store nothing passes until it is told who was erased since; and whoever was erased stays so, wherever
 * the telling is cut short.
 */
describe('a key store that is restored from an older backup', { timeout: 600_000 }, () => {
  let live: LivePipeline;
  let client: Client;
  let commands: LetheCommands;
  let instance: Instance;
  let backup: KeyStoreImage;
  /** The ledger as it was written, before anybody tampers with it. */
  let ledger: Noted[];
  /** Ciphertexts of names, from before the backup and after it, by person. */
  const ciphertexts = new Map<string, Buffer>();
  const config = () => live.project!.config;

  const withStore = async <T>(work: (store: ReturnType<typeof openKeyStore>) => Promise<T>): Promise<T> => {
    const store = openKeyStore(config());
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  };
  const digestOf = (id: string) => withStore((store) => store.subjectDigest(kind, id));

  /** What the clean topic has last of a person's name: a ciphertext, null for a tombstone. */
  async function newestNames(): Promise<Map<string, Buffer | null>> {
    const newest = new Map<string, Buffer | null>();
    await readTopics(
      createKafka(config(), 'test'),
      [cleanTopic(config(), 'public.people')],
      ({ message }) => {
        const { value } = message;
        // Frame, id in one byte, the branch and the length of the ciphertext, in zigzag: it is shorter than 64 bytes.
        const at = value ? value.indexOf(2, 7) : -1;
        newest.set(String(message.key), value && at > 0 ? value.subarray(at, at + value[at - 1]! / 2) : null);
      },
    );
    return newest;
  }

  /** What a person's ciphertext opens to now; null where the key is not there. */
  async function opened(id: string): Promise<string | null> {
    const bytes = ciphertexts.get(id)!;
    return withStore(async (store) => {
      const { keyId, generation } = describeCiphertext(bytes)!;
      const key = await store.keyById(keyId, generation);
      const plain = key && decrypt(key, use, associatedData('public.people', 'name'), bytes);
      return plain ? /Name \d/.exec(plain.toString())![0] : null;
    });
  }

  /** What an erasure does to the key store and the ledger, and no more. */
  async function eraseOnly(id: string, request: string): Promise<void> {
    const subject = { ...kind, digest: await digestOf(id) };
    await noteInLedger(config(), [{ subject, state: 'suppressed', request }]);
    await withKeyStore(config(), (keys) => suppress(keys, request, subject));
    await noteInLedger(config(), [{ subject, state: 'destroyed', request }]);
    await withKeyStore(config(), (keys) => destroyKeyOf(keys, kind, subject.digest));
    await anchorKeys(config());
  }

  async function stop(): Promise<void> {
    instance.child.kill();
    await instance.ended;
  }

  async function start(): Promise<void> {
    instance = live.run();
    await live.ready(instance);
  }

  async function readLedgerAsIs(): Promise<Noted[]> {
    const notes: Noted[] = [];
    for await (const { key, value } of readNoted(config(), ledgerTopic(config()))) {
      notes.push({ key, value: value!.toString() });
    }
    return notes;
  }

  /** As if it had never been written in: a compacted topic lets nobody delete single records. */
  async function emptyLedger(): Promise<void> {
    const topic = ledgerTopic(config());
    const admin = createKafka(config(), 'test').admin();
    await admin.connect();
    try {
      await admin.deleteTopics({ topics: [topic] });
      const compacted = [{ name: 'cleanup.policy', value: 'compact' }];
      await waitUntil(
        async () => admin.createTopics({ topics: [{ topic, configEntries: compacted }] }).catch(() => false),
        30_000,
        'the topic to be gone',
      );
    } finally {
      await admin.disconnect();
    }
  }

  const headOf = () => withKeyStore(config(), async (keys) => (await lastEntries(keys, 1))[0]!.seq);
  const recover = (...args: string[]) =>
    commands.run(['keys', 'recover', '--reference', 'INC-7', ...args, '--json']);
  const recovered = (...args: string[]) =>
    commands.json<Planned>('keys', 'recover', '--reference', 'INC-7', ...args);
  const expectRefused = () =>
    expect(requireAnchored(config())).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });

  beforeAll(async () => {
    live = await LivePipeline.ofContracts(await acquireStack(), { 'people.yaml': contract }, 2);
    commands = new LetheCommands(live);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query('create table people (id int primary key, name text)');
    await client.query(`insert into people select g, 'Name ' || g from generate_series(1, 6) g`);
    await live.apply();
    await start();
    await live.expectEqual();
    for (const [id, bytes] of await newestNames()) ciphertexts.set(id, bytes!);
    // A request that is open in the backup, and taken back after it.
    await withStore((store) =>
      fileErasure(
        live.project!,
        store,
        { subject: { type: 'customer', id: '5' }, reason: 'to be taken back', requestId: 'R-5' },
        'test',
      ),
    );
    await stop();
    await anchorKeys(config());
    backup = await KeyStoreImage.take(live.env['LETHE_KEYS_URL']!);
    await start();
  }, 300_000);

  afterAll(async () => {
    await client?.end();
    await backup?.drop();
    await live?.close();
  });

  it('is refused by everything, and nothing that it says of itself makes it newer', async () => {
    const { code, err } = await commands.run([
      'erase',
      '--subject',
      'customer:1',
      '--reason',
      'Art. 17',
      '--request-id',
      'R-1',
    ]);
    expect({ code, err }).toMatchObject({ code: 0 });
    await commands.json('erase', 'cancel', 'R-5');
    await commands.json('restrict', '--subject', 'customer:3', '--reason', 'contested');
    // Erased and let in again; the backup knows of neither.
    await eraseOnly('4', 'R-4');
    const digest = await digestOf('4');
    const { keyId } = await readmitSubject(config(), kind, digest, 'test');
    await noteInLedger(config(), [{ subject: { ...kind, digest }, state: 'readmitted', request: '', keyId }]);
    // Whoever has the old key in memory looks within a second.
    await waitUntil(
      async () => {
        await client.query(`update people set name = 'Name 4' where id = 4`);
        const bytes = (await newestNames()).get('4');
        return bytes != null && uuidText(describeCiphertext(bytes)!.keyId) === keyId;
      },
      30_000,
      'a row under the new key',
    );
    await client.query(`insert into people values (7, 'Name 7')`);
    await live.expectEqual();
    ciphertexts.set('7', (await newestNames()).get('7')!);
    await anchorKeys(config());
    expect([await opened('1'), await opened('2'), await opened('7')]).toEqual([null, 'Name 2', 'Name 7']);
    await stop();
    ledger = await readLedgerAsIs();

    await backup.restore();
    expect(await opened('1')).toBe('Name 1');
    await expectRefused();
    await expect(anchorKeys(config())).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    await expect(applyProject(live.configPath)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
    expect((await commands.run(['erase', 'resume'])).code).toBe(1);
    expect(await live.run().ended).toBe(1);
    await expectRefused();
  });

  it('is not told by a ledger that somebody wrote in, or took something from', async () => {
    const before = await headOf();
    const [first] = ledger as [Noted];
    const forged = { key: first.key, value: first.value.replace('suppressed', 'lifted') };
    await writeLedgerTopic(config(), [forged]);
    expect(await recover('--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('was not noted with the key store’s own key'),
    });
    expect(await recovered('--dry-run', '--without-invalid')).toMatchObject({
      state: 'planned',
      leftOut: 1,
      erase: 2,
    });
    await emptyLedger();
    expect(await recover('--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('it comes to 0 persons who were erased, and 1 are noted'),
    });
    // Written once more, and then the oldest of it again: what is newest stays so.
    await writeLedgerTopic(config(), [...ledger, ...ledger.slice(0, 2)]);
    expect((await recover()).code).toBe(2);
    expect(await headOf()).toBe(before);
    await expectRefused();
  });

  it.each([
    'commit/1',
    'commit/2',
    'commit/3',
    'commit/6',
    'update lethe_keys.reservations/1',
    'select s.id::text as store, a.seq/1',
  ])('is refused as before where the telling is killed at %s', async (place) => {
    const preload = join(packageRoot(), 'test', 'support', 'query-crash.mjs');
    const main = join(packageRoot(), 'dist', 'cli', 'main.js');
    const args = ['keys', 'recover', '--reference', 'INC-7', '--yes', '-c', live.configPath];
    const child = spawn(process.execPath, ['--import', preload, main, ...args], {
      env: { ...process.env, ...live.env, LETHE_TEST_CRASH: place },
      stdio: 'ignore',
    });
    const signal = await new Promise((done) => child.once('close', (_code, by) => done(by)));
    expect(signal).toBe('SIGKILL');
    await expectRefused();
  });

  it('goes on once it was told: who was erased stays so, everybody else is readable', async () => {
    const done = await recovered('--yes');
    expect(done).toMatchObject({ state: 'recovered', openRequests: [] });
    expect(done.lostRequests).toContainEqual({ request: 'R-1', state: 'destroyed' });
    expect(await requireAnchored(config())).toBe(true);
    expect(await commands.run(['audit', 'verify'])).toMatchObject({ code: 0 });
    expect(await recovered('--yes')).toEqual({ state: 'whole' });

    expect(await Promise.all(['1', '2', '4', '5', '6', '7'].map(opened))).toEqual([
      null,
      'Name 2',
      // Let in again after the backup: kept out until somebody says so once more.
      null,
      'Name 5',
      'Name 6',
      // The key was made after the backup.
      null,
    ]);
    await withStore(async (store) => {
      expect(await store.dataKeys(kind, ['1', '4'])).toEqual([null, null]);
      expect(await store.areSuppressed(kind, ['1', '2', '3', '4', '5'])).toEqual([
        true,
        false,
        true,
        true,
        false,
      ]);
    });
    const { state } = await commands.json<{ state: string }>('erase', 'status', 'R-5');
    expect(state).toBe('cancelled');
    const last = await withKeyStore(config(), (keys) => lastEntries(keys, 1));
    expect(last).toMatchObject([
      { action: 'store-recovered', details: { reference: 'INC-7', timeline: 2, leftOut: 0 } },
    ]);
  });

  it('has all rows read again, and is as good as new', async () => {
    await commands.json('connector', 'delete', '--yes');
    await live.apply();
    await start();
    await live.expectEqual();
    const names = await newestNames();
    expect([names.get('1'), names.get('3'), names.get('4')]).toEqual([null, null, null]);
    ciphertexts.set('7', names.get('7')!);
    expect(await opened('7')).toBe('Name 7');
    // What the backup did not know can be ended as before.
    await commands.json('restrict', '--subject', 'customer:3', '--lift');
    await commands.json('readmit', '--subject', 'customer:4');
    await waitUntil(
      async () => {
        const now = await newestNames();
        return now.get('3') != null && now.get('4') != null;
      },
      60_000,
      'the rows of both',
    );
    await live.expectEqual();
    expect(await withStore((store) => store.areSuppressed(kind, ['1', '3', '4']))).toEqual([
      true,
      false,
      false,
    ]);
    await stop();
  });

  it('is told of what came after a recovery too, if it is restored once more', async () => {
    await eraseOnly('6', 'R-6');
    await backup.restore();
    expect(await opened('6')).toBe('Name 6');
    await recovered('--yes');
    expect(await Promise.all(['1', '2', '6'].map(opened))).toEqual([null, 'Name 2', null]);
    const [last] = await withKeyStore(config(), (keys) => lastEntries(keys, 1));
    expect(last).toMatchObject({ action: 'store-recovered', details: { timeline: 3 } });
    expect(await requireAnchored(config())).toBe(true);
  });

  it('whose epoch has ended since cannot be brought back, and it says so', async () => {
    await turnEpoch(config());
    await anchorKeys(config());
    await backup.restore();
    expect(await recover('--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('lethe keys turn'),
    });
  });
});
