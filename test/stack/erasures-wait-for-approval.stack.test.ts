import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approvalsMissing, approveRequests } from '../../erasure/approvals.ts';
import { deadlineOf } from '../../erasure/deadline.ts';
import { newInventory, sealInventory } from '../../erasure/inventory.ts';
import { acknowledgeNotice, noteNotices, overdueNotices } from '../../erasure/notices.ts';
import { refuseRequest } from '../../erasure/request-duties.ts';
import { cancelRequest, fileRequest, findRequest, listRequests } from '../../erasure/requests.ts';
import { ErasureRunner, type StepWork } from '../../erasure/runner.ts';
import { erasureResources } from '../../erasure/schema.ts';
import { startErasures } from '../../erasure/start-erasures.ts';
import { type ErasureStep, erasureSteps } from '../../erasure/step.ts';
import { addPrincipal, disablePrincipal } from '../../keys/access/principals.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { keyStoreResources } from '../../keys/resources.ts';
import { OwnPostgres } from '../support/own-postgres.ts';

const refused = (why: string) => ({ code: 'ACCESS_REFUSED', detail: { why } });

/**
 * Invariant: a request that others must approve is not begun, by no runner, before as many have who are not who filed it, nor each other, and
 * were there before it.
 */
describe('a request that others must approve', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-approvals-'));
  let server: OwnPostgres;
  let keys: PostgresKeyStore;
  let config: Parameters<typeof keyStoreResources>[0] & Parameters<typeof startErasures>[0];
  beforeAll(async () => {
    server = await OwnPostgres.create();
    await server.start({});
    const master = { kind: 'local', file: join(folder, 'master.json') } as const;
    const erasure = { approvals: 1, recipients: [], acknowledgeDays: 30 };
    config = { keys: { url: server.url, master }, erasure };
    for (const resource of [...keyStoreResources(config), ...erasureResources(config)])
      await resource.apply(await resource.diff());
    keys = openKeyStore(config);
    for (const name of ['lead', 'second', 'leaver'])
      await addPrincipal(config, { name, role: 'compliance', tokenMs: 60_000 }, 'me');
  });
  afterAll(async () => {
    await keys?.close();
    await server?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const inStore = <T>(work: (client: ClientBase) => Promise<T>) => withKeyStore(config, work);
  const file = async (id: string, approvalsNeeded = 1, requestedBy = 'lead') => {
    const receivedAt = new Date();
    const sealed = await sealInventory(keys, id, newInventory('customer', id));
    return inStore((client) =>
      fileRequest(client, {
        id,
        subject: { type: 'customer', digest: Buffer.from(id) },
        reason: 'Art. 17',
        requestedBy,
        receivedAt,
        deadline: deadlineOf(receivedAt),
        sealed,
        approvalsNeeded,
      }),
    );
  };
  const approve = (name: string, ...ids: string[]) =>
    inStore((client) => approveRequests(client, ids, { name }));
  const missing = async (id: string) =>
    approvalsMissing((await inStore((client) => findRequest(client, id)))!);
  /** Steps that a runner begins for these requests. */
  const begun = async (...ids: string[]) => {
    const steps: string[] = [];
    const work = Object.fromEntries(
      erasureSteps.map((step): [ErasureStep, StepWork] => [
        step,
        async (erasures) => {
          for (const { request } of erasures) steps.push(`${request.id} ${step}`);
          return erasures.map(({ inventory }) => ({
            evidence: {},
            inventory: step === 'certified' ? null : inventory,
          }));
        },
      ]),
    ) as Record<ErasureStep, StepWork>;
    const signal = AbortSignal.timeout(60_000);
    await new ErasureRunner({ config, keys, work, only: new Set(ids), signal }).run();
    return steps;
  };

  it('has tables that a database of before them gets by `lethe apply`', async () => {
    await inStore((client) => client.query('drop table lethe_erasure.approvals'));
    await inStore((client) =>
      client.query('alter table lethe_erasure.requests drop column approvals_needed'),
    );
    const [resource] = erasureResources(config);
    const changes = await resource!.diff();
    expect(changes).toHaveLength(1);
    for (let i = 0; i < 2; i++) await resource!.apply(changes);
    expect(await resource!.diff()).toEqual([]);
  });

  it('is not begun before, and goes through all its steps after it', async () => {
    await file('waits', 2);
    expect(await begun('waits')).toEqual([]);
    await approve('second', 'waits');
    expect(await begun('waits')).toEqual([]);
    await approve('leaver', 'waits');
    expect(await begun('waits')).toEqual(erasureSteps.map((step) => `waits ${step}`));
    await expect(approve('third', 'waits')).rejects.toMatchObject(refused('not-waiting'));
  });

  it('does not hold up those that wait for nobody', async () => {
    await file('held-up', 1);
    await file('free', 0);
    expect(new Set((await begun('held-up', 'free')).map((step) => step.split(' ')[0]))).toEqual(
      new Set(['free']),
    );
    await expect(approve('second', 'free')).rejects.toMatchObject(refused('not-waiting'));
  });

  it('is not approved by who filed it, twice by one, nor by who came after it', async () => {
    const { createdAt } = await file('strict', 2);
    await expect(approve('lead', 'strict')).rejects.toMatchObject(refused('own-request'));
    await approve('second', 'strict');
    await expect(approve('second', 'strict')).rejects.toMatchObject(refused('approved-before'));
    const late = { name: 'late', since: createdAt };
    await expect(inStore((client) => approveRequests(client, ['strict'], late))).rejects.toMatchObject(
      refused('newer-than-request'),
    );
    await expect(approve('second', 'nothing')).rejects.toMatchObject({ code: 'ERASURE_REFUSED' });
    expect(await missing('strict')).toBe(1);
  });

  it('counts each once, where all approve at once', async () => {
    await file('crowd', 3);
    const names = ['second', 'second', 'second', 'lead', 'lead', 'a', 'a', 'b', 'c', 'd'];
    const tried = await Promise.allSettled(names.map((name) => approve(name, 'crowd')));
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const { approvals } = (await inStore((client) => findRequest(client, 'crowd')))!;
    const approved = approvals.given.map(({ principal }) => principal);
    expect(new Set(approved).size).toBe(3);
    expect(approved).not.toContain('lead');
  });

  it('is approved with others or not at all', async () => {
    await file('of-lead');
    await file('of-second', 1, 'second');
    await expect(approve('second', 'of-lead', 'of-second')).rejects.toMatchObject(refused('own-request'));
    expect(await missing('of-lead')).toBe(1);
    await approve('third', 'of-second', 'of-lead', 'of-lead');
    expect([await missing('of-lead'), await missing('of-second')]).toEqual([0, 0]);
  });

  it('waits again where somebody who approved was disabled before it was begun', async () => {
    await file('left');
    await approve('leaver', 'left');
    expect(await missing('left')).toBe(0);
    await disablePrincipal(config, 'leaver', 'lead');
    expect(await missing('left')).toBe(1);
    expect(await begun('left')).toEqual([]);
    await expect(approve('leaver', 'left')).rejects.toMatchObject(refused('disabled'));
    await approve('second', 'left');
    expect(await begun('left')).toHaveLength(erasureSteps.length);
  });

  it('is taken back, or refused, without any approval', async () => {
    await file('unwanted');
    await inStore((client) => cancelRequest(client, 'unwanted', 'lead'));
    await file('unfounded');
    await inStore((client) => refuseRequest(client, 'unfounded', 'the tax law', 'lead'));
    for (const id of ['unwanted', 'unfounded']) {
      expect(await missing(id)).toBe(0);
      await expect(approve('second', id)).rejects.toMatchObject(refused('not-waiting'));
    }
  });

  it('is one too that the application’s own delete has started: anybody else approves it', async () => {
    await startErasures(config, keys, 'customer', ['4711']);
    await startErasures(config, keys, 'customer', ['4711']);
    const open = await inStore((client) => listRequests(client, ['open']));
    const [started, ...more] = open.filter(({ requestedBy }) => requestedBy === 'lethe:source-delete');
    expect(more).toEqual([]);
    expect(await begun(started!.id)).toEqual([]);
    await approve('lead', started!.id);
    expect(await begun(started!.id)).toHaveLength(erasureSteps.length);
  });

  it('stands in the audit with who approved it, and nothing that was refused counts', async () => {
    const entries = await inStore(async (client) => {
      const { rows } = await client.query<{ principal: string; details: object }>(
        `select principal, details from lethe_keys.audit where action = 'erasure-approved' and details->>'request' = 'waits' order by seq`,
      );
      return rows;
    });
    expect(entries).toEqual([
      { principal: 'second', details: { request: 'waits', missing: 1 } },
      { principal: 'leaver', details: { request: 'waits', missing: 0 } },
    ]);
  });

  it('has notices that are noted once, acknowledged once, and overdue until then', async () => {
    const told = { request: 'waits', recipient: 'billing', tables: ['public.orders'], records: 3, parts: 1 };
    await inStore((client) => noteNotices(client, [told, { ...told, recipient: 'printer' }]));
    await inStore((client) => noteNotices(client, [{ ...told, records: 99 }]));
    await inStore((client) =>
      client.query(`update lethe_erasure.notices set noticed_at = noticed_at - interval '31 days'`),
    );
    const overdue = async (days: number) =>
      (await inStore((client) => overdueNotices(client, days))).map(({ recipient }) => recipient);
    expect(await overdue(30)).toEqual(['billing', 'printer']);
    expect(await overdue(32)).toEqual([]);
    const answer = (reference: string, by: string) =>
      inStore((client) =>
        acknowledgeNotice(client, { request: 'waits', recipient: 'billing' }, reference, by),
      );
    const first = await answer('ticket 1', 'billing');
    expect(first).toMatchObject({ records: 3, acknowledgedBy: 'billing', reference: 'ticket 1' });
    expect(await answer('ticket 2', 'lead')).toEqual(first);
    expect(await overdue(30)).toEqual(['printer']);
    const { rows } = await inStore((client) =>
      client.query(
        `select action, principal from lethe_keys.audit where action like 'notice-%' and details->>'recipient' = 'billing' order by seq`,
      ),
    );
    expect(rows.map(({ action }: { action?: unknown }) => action)).toEqual([
      'notice-sent',
      'notice-acknowledged',
    ]);
    expect(rows.at(-1)).toMatchObject({ principal: 'billing' });
  });
});
