import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadlineOf, extendedDeadline } from '../../erasure/deadline.ts';
import { extendRequest, refuseRequest } from '../../erasure/request-duties.ts';
import {
  cancelRequest,
  fileRequest,
  findRequest,
  insertRequest,
  listRequests,
} from '../../erasure/requests.ts';
import {
  endRestriction,
  fileRestriction,
  findRestriction,
  openRestriction,
} from '../../erasure/restrictions.ts';
import { erasureResources } from '../../erasure/schema.ts';
import { liftSuppression, suppress } from '../../erasure/suppression.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { keyStoreResources } from '../../keys/resources.ts';
import { OwnPostgres } from '../support/own-postgres.ts';

const dayMs = 86_400_000;
const refused = { code: 'ERASURE_REFUSED' };

describe('requests', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-requests-'));
  let server: OwnPostgres;
  let config: Parameters<typeof keyStoreResources>[0];
  beforeAll(async () => {
    server = await OwnPostgres.create();
    await server.start({});
    const master = { kind: 'local', file: join(folder, 'master.json') } as const;
    config = { keys: { url: server.url, master } };
    for (const resource of [...keyStoreResources(config), ...erasureResources(config)])
      await resource.apply(await resource.diff());
  });
  afterAll(async () => {
    await server?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const inStore = <T>(work: (client: ClientBase) => Promise<T>) => withKeyStore(config, work);
  const person = (name: string) => ({ type: 'customer', digest: Buffer.from(name) });
  const filing = (id: string, name = id, receivedAt = new Date()) => ({
    id,
    subject: person(name),
    reason: 'Art. 17',
    requestedBy: 'me',
    receivedAt,
    deadline: deadlineOf(receivedAt),
    sealed: Buffer.from('sealed'),
    approvalsNeeded: 0,
    identity: `ticket of ${id}`,
  });
  const isSuppressed = (name: string) =>
    inStore(async (client) => {
      const { rowCount } = await client.query('select from lethe_keys.suppressed where subject_digest = $1', [
        Buffer.from(name),
      ]);
      return rowCount === 1;
    });
  const at = (id: string, step: string, state = 'open') =>
    inStore((client) =>
      client.query('update lethe_erasure.requests set step = $2, state = $3 where id = $1', [
        id,
        step,
        state,
      ]),
    );

  it('have tables that may be made again', async () => {
    await inStore((client) => client.query('drop table lethe_erasure.restrictions'));
    const [resource] = erasureResources(config);
    const changes = await resource!.diff();
    expect(changes).toHaveLength(1);
    for (let i = 0; i < 2; i++) await resource!.apply(changes);
    expect(await resource!.diff()).toEqual([]);
  });

  it('are put off once, before the deadline, by two further months from the receipt', async () => {
    const received = new Date(Date.now() - 20 * dayMs);
    await inStore((client) => fileRequest(client, filing('slow', 'slow', received)));
    const late = await inStore((client) => extendRequest(client, 'slow', 'many requests', 'me'));
    expect(late.deadline).toEqual(extendedDeadline(received));
    expect(late).toMatchObject({ identity: 'ticket of slow', extension: { reason: 'many requests' } });
    // The same again is the same.
    expect(await inStore((client) => extendRequest(client, 'slow', 'many requests', 'me'))).toEqual(late);
    await expect(inStore((client) => extendRequest(client, 'slow', 'more', 'me'))).rejects.toMatchObject(
      refused,
    );

    await inStore((client) =>
      fileRequest(client, filing('missed', 'missed', new Date(Date.now() - 40 * dayMs))),
    );
    await expect(inStore((client) => extendRequest(client, 'missed', 'x', 'me'))).rejects.toMatchObject({
      ...refused,
      message: 'the deadline of request missed has passed',
    });
    await at('missed', 'certified', 'done');
    await expect(inStore((client) => extendRequest(client, 'missed', 'x', 'me'))).rejects.toMatchObject(
      refused,
    );
    await expect(inStore((client) => extendRequest(client, 'none', 'x', 'me'))).rejects.toMatchObject(
      refused,
    );
  });

  it('are refused with a ground as long as the source is untouched, and suppress nobody then', async () => {
    await inStore((client) => fileRequest(client, filing('tax')));
    await inStore((client) => suppress(client, 'tax', person('tax')));
    await at('tax', 'suppressed', 'needs-person');
    const ended = await inStore((client) => refuseRequest(client, 'tax', 'the tax law', 'me'));
    expect(ended).toMatchObject({ state: 'refused', ground: 'the tax law', sealed: null });
    expect(await isSuppressed('tax')).toBe(false);
    expect(await inStore((client) => refuseRequest(client, 'tax', 'another', 'me'))).toEqual(ended);
    await expect(inStore((client) => cancelRequest(client, 'tax', 'me'))).rejects.toMatchObject(refused);
    // Another one may be filed.
    await inStore((client) => fileRequest(client, filing('tax-again', 'tax')));
    await at('tax-again', 'source-cleared');
    await expect(inStore((client) => refuseRequest(client, 'tax-again', 'x', 'me'))).rejects.toMatchObject(
      refused,
    );
    const open = await inStore((client) => listRequests(client, ['open']));
    expect(open.map(({ id }) => id)).toContain('tax-again');
    const all = await inStore((client) => listRequests(client));
    expect(all.findIndex(({ id }) => id === 'tax')).toBeGreaterThanOrEqual(open.length);
  });

  it('of one file are filed together or not at all', async () => {
    const file = (...requests: ReturnType<typeof filing>[]) =>
      inStore((client) =>
        inTransaction(client, async () => {
          for (const request of requests) await insertRequest(client, request);
        }),
      );
    await expect(file(filing('b-1'), filing('slow', 'somebody else'))).rejects.toMatchObject(refused);
    expect(await inStore((client) => findRequest(client, 'b-1'))).toBeUndefined();
    await file(filing('b-1'), filing('b-2'));
    expect(await inStore((client) => findRequest(client, 'b-2'))).toMatchObject({ state: 'open' });
  });

  it('and restrictions do not undo each other', async () => {
    const restrict = (id: string) =>
      inStore((client) => fileRestriction(client, id, person('held'), 'contested', 'me'));
    expect(await restrict('h-1')).toMatchObject({ id: 'h-1', reason: 'contested' });
    expect(await restrict('h-2')).toMatchObject({ id: 'h-1' });
    await inStore((client) => suppress(client, 'h-1', person('held')));

    // An erasure of who is restricted, taken back, leaves the restriction as it was.
    await inStore((client) => fileRequest(client, filing('e-1', 'held')));
    await inStore((client) => suppress(client, 'e-1', person('held')));
    const lift = () => inStore((client) => openRestriction(client, person('held'), 'me'));
    await expect(lift()).rejects.toMatchObject(refused);
    await expect(restrict('h-3')).rejects.toMatchObject(refused);
    await inStore((client) => cancelRequest(client, 'e-1', 'me'));
    expect(await isSuppressed('held')).toBe(true);

    // Whoever is cut short between opening and ending begins anew.
    expect(await lift()).toMatchObject({ id: 'h-1' });
    expect(await isSuppressed('held')).toBe(false);
    expect(await lift()).toMatchObject({ id: 'h-1' });
    await inStore((client) => endRestriction(client, 'h-1', 'me'));
    expect(await inStore((client) => findRestriction(client, person('held')))).toBeUndefined();
    await expect(lift()).rejects.toMatchObject(refused);

    // Who was erased stays suppressed.
    expect(await restrict('h-4')).toMatchObject({ id: 'h-4' });
    await inStore((client) => suppress(client, 'h-4', person('held')));
    await inStore((client) => fileRequest(client, filing('e-2', 'held')));
    await at('e-2', 'certified', 'done');
    await expect(lift()).rejects.toMatchObject(refused);
    expect(await isSuppressed('held')).toBe(true);
    await inStore((client) => liftSuppression(client, 'e-2', person('held')));
    expect(await isSuppressed('held')).toBe(true);
  });
});
