import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkChain, lastEntries } from '../../keys/audit/read-audit.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import { keyStoreResources } from '../../keys/resources.ts';
import { fillReservations } from '../../keys/reserve-encryptions.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { waitUntil } from '../support/live-pipeline.ts';
import { acquireStack, freshDatabase, type TestDatabase } from '../support/stack.ts';

const script = join(packageRoot(), 'test', 'support', 'letter-sealer.mjs');
const bounds = { block: 16, most: 64 };

interface Sealer {
  readonly child: ChildProcess;
  /** What it has sealed so far. */
  readonly sealed: { readonly generation: number; readonly bytes: Buffer }[];
  readonly ended: Promise<NodeJS.Signals | number | null>;
}

/** Invariant: under no generation of a key that is nobody's own are more values encrypted than it may have, over processes that run, die and start. */
describe('the key of the dead letters', { timeout: 300_000 }, () => {
  let database: TestDatabase;
  let client: Client;
  const folder = mkdtempSync(join(tmpdir(), 'lethe-table-keys-'));
  const config = () => ({
    keys: { url: database.url, master: { kind: 'local' as const, file: join(folder, 'master.json') } },
  });
  const all: Sealer[] = [];

  /** A process that seals so many letters. */
  function start(count: number): Sealer {
    const args = [JSON.stringify(config().keys), count, bounds.block, bounds.most].map(String);
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const sealed: Sealer['sealed'] = [];
    let rest = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const [generation, hex] = line.split(' ') as [string, string];
        sealed.push({ generation: Number(generation), bytes: Buffer.from(hex, 'hex') });
      }
    });
    const ended = new Promise<NodeJS.Signals | number | null>((done) => {
      child.once('close', (code, signal) => done(signal ?? code));
    });
    const sealer = { child, sealed, ended };
    all.push(sealer);
    return sealer;
  }

  beforeAll(async () => {
    database = await freshDatabase((await acquireStack()).endpoints, 'table_keys');
    for (const resource of keyStoreResources(config())) await resource.apply([]);
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterAll(async () => {
    for (const { child } of all) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all(all.map(({ ended }) => ended));
    await client?.end();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has no generation with more than it may have, though processes seal at once, are killed and start again', async () => {
    const [first, second, killed] = [start(200), start(200), start(100_000)];
    await waitUntil(() => killed.sealed.length > 40, 60_000, 'letters of the one to be killed');
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    const again = start(150);
    expect(await Promise.all([first.ended, second.ended, again.ended])).toEqual([0, 0, 0]);
    const letters = all.flatMap(({ sealed }) => sealed);
    const counts = new Map<number, number>();
    for (const { generation } of letters) counts.set(generation, (counts.get(generation) ?? 0) + 1);
    expect(letters.length).toBeGreaterThanOrEqual(590);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(bounds.most);
    expect(counts.size).toBeGreaterThanOrEqual(Math.ceil(letters.length / bounds.most));
    expect(new Set(letters.map(({ bytes }) => bytes.toString('hex', 21, 33))).size).toBe(letters.length);

    const { rows } = await client.query<{ generation: number; reserved: string }>(
      'select generation, reserved from lethe_keys.reservations order by generation',
    );
    expect(rows.map(({ generation }) => generation)).toEqual(rows.map((_, i) => i + 1));
    for (const { generation, reserved } of rows) {
      // Reserved before it is used, and never beyond the limit.
      expect(Number(reserved)).toBeGreaterThanOrEqual(counts.get(generation) ?? 0);
      expect(Number(reserved)).toBeLessThanOrEqual(bounds.most);
    }
    const rotations = (await lastEntries(client, 1_000)).filter(({ action }) => action === 'key-rotated');
    expect(rotations.map(({ details }) => details['generation'])).toEqual(
      rows.slice(1).map(({ generation }) => generation),
    );
    expect(new Set(rotations.map(({ principal }) => principal))).toEqual(new Set(['lethe:nonce-limit']));
    expect(await checkChain(client)).not.toHaveProperty('broken');
  });

  it('opens the letters of every generation', async () => {
    const store = openKeyStore(config());
    const opener = createPayloadOpener(store);
    try {
      const opened = new Set<number>();
      for (const { generation, bytes } of all.flatMap(({ sealed }) => sealed)) {
        if (opened.has(generation)) continue;
        expect(await opener.open(bytes, 'topic')).toMatchObject({ payload: Buffer.from('a letter') });
        opened.add(generation);
      }
      expect(opened.size).toBeGreaterThan(5);
    } finally {
      await store.close();
    }
  });

  it('goes on in the next generation where nobody knows how many were made', async () => {
    const { rows } = await client.query<{ newest: number }>(
      'select max(generation) as newest from lethe_keys.data_keys',
    );
    const { newest } = rows[0]!;
    await fillReservations(client, bounds.most);
    const after = start(3);
    expect(await after.ended).toBe(0);
    expect(after.sealed.map(({ generation }) => generation)).toEqual([1, 1, 1].map(() => newest + 1));
  });
});
