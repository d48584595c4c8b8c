import { setTimeout as sleep } from 'node:timers/promises';
import { newInventory } from '../../erasure/inventory.ts';
import { findRequest } from '../../erasure/requests.ts';
import {
  isAnyDue,
  noteEnded,
  readRetained,
  type RetainedFilter,
  type RetainedRow,
} from '../../erasure/retained-rows.ts';
import { mayPass, mostAttempts, type OpenErasure } from '../../erasure/runner.ts';
import { anchorKeys } from '../anchored-keys.ts';
import { appendAudit } from '../../keys/audit/audit-log.ts';
import { destroyKey } from '../../keys/destroy-key.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { backoffMs } from '../../pipeline/retry.ts';
import { ownEventId } from '../../repair/own-headers.ts';
import type { Config } from '../../schemas/config.ts';
import { safeReason } from '../../schemas/errors.ts';
import type { ErasureContext } from './context.ts';
import { retainKind } from './retained.ts';
import { recordsClearedWork } from './stores-cleared.ts';
import { tombstonedWork } from './tombstoned.ts';
import { topicPace } from './topic-pace.ts';
import { topicsCompactedWork } from './topics-compacted.ts';
import { eventColumn, verifiedWork } from './verified.ts';

/** What a request keeps of a table. */
interface Kept {
  readonly erasure: OpenErasure;
  readonly rows: readonly RetainedRow[];
}

/**
 * Takes back what requests keep, as if it had never been kept: the person's rows come again themselves. Done before they are read again, and
 * again by whoever was cut short.
 */
export async function takeBackRetained(context: ErasureContext, filter: RetainedFilter): Promise<number> {
  const all = await keptBy(context, filter);
  return end(context, all, (erasures) => tombstonedWork(context)(erasures, new AbortController().signal));
}

/**
 * Ends what was kept for as long as the law asked, and what somebody who was cut short has not taken back: its keys are destroyed, and it goes
 * from topics, stores and disks as a person's records do; then it is looked for, everywhere. Returns how many rows there were.
 */
export async function endDue(context: ErasureContext, signal: AbortSignal): Promise<number> {
  const all = await keptBy(context, { due: true });
  return end(context, all, async (erasures) => {
    const steps = [
      tombstonedWork(context),
      recordsClearedWork(context),
      topicsCompactedWork(context, topicPace(context.project)),
      verifiedWork(context),
    ];
    for (const step of steps) await patiently(context, () => step(erasures, signal), signal);
  });
}

/** Is there anything that is due to end? */
export function isRetentionDue(config: Pick<Config, 'keys'>): Promise<boolean> {
  return withKeyStore(config, isAnyDue);
}

/** As a step of an erasure is tried. */
async function patiently(
  { say }: ErasureContext,
  work: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (signal.aborted || attempt === mostAttempts || !mayPass(error)) throw error;
      say(`to be tried again: ${safeReason(error)}`);
      await sleep(backoffMs(attempt, Math.random()), undefined, { signal });
    }
  }
}

async function end(
  context: ErasureContext,
  all: readonly Kept[],
  remove: (erasures: readonly OpenErasure[]) => Promise<unknown>,
): Promise<number> {
  if (all.length === 0) return 0;
  const { config } = context.project;
  for (const { erasure, rows } of all) {
    const [{ request, dataset, keyId }] = rows as [RetainedRow];
    if (keyId !== null)
      await destroyKey(config, retainKind(erasure.inventory.subject.type, dataset), request);
  }
  await anchorKeys(config);
  await remove(all.map(({ erasure }) => erasure));
  await withKeyStore(config, (client) =>
    inTransaction(client, async () => {
      for (const { rows } of all) {
        const [{ request, dataset }] = rows as [RetainedRow];
        await noteEnded(client, rows);
        await appendAudit(client, 'retention-ended', { request, table: dataset, rows: rows.length });
      }
    }),
  );
  await anchorKeys(config);
  return all.reduce((sum, { rows }) => sum + rows.length, 0);
}

/**
 * By request and table, each in the shape of an erasure whose records are known: what an erasure does with a person's records is done with
 * these. Of a table that has no contract any more nobody knows where its records are: it stays in the ledger.
 */
async function keptBy({ project }: ErasureContext, filter: RetainedFilter): Promise<Kept[]> {
  const tables = new Set(project.datasets.map(({ table }) => table));
  return withKeyStore(project.config, async (client) => {
    const rows = (await readRetained(client, filter)).filter(({ dataset }) => tables.has(dataset));
    const kept: Kept[] = [];
    for (const [, own] of grouped(rows, ({ request, dataset }) => `${request}.${dataset}`)) {
      const [{ request: id, dataset: table, version, keyId }] = own as [RetainedRow];
      const request = await findRequest(client, id);
      if (!request) continue;
      const records = own.map(({ recordKey }) => ({ table, key: recordKey }));
      const values = own.map((row) => ({
        table,
        column: eventColumn,
        bytes: Buffer.from(ownEventId(table, row.recordKey, row.version)).toString('base64'),
      }));
      const inventory = {
        ...newInventory(request.subject.type, id),
        records,
        values,
        barrier: version,
        ...(keyId === null ? {} : { keyId }),
      };
      kept.push({ erasure: { request: { ...request, id: `${id}.${table}` }, inventory }, rows: own });
    }
    return kept;
  });
}
