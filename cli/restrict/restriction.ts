import { randomUUID } from 'node:crypto';
import { newInventory } from '../../erasure/inventory.ts';
import {
  endRestriction,
  fileRestriction,
  openRestriction,
  type Restriction,
} from '../../erasure/restrictions.ts';
import type { OpenErasure, StepWork } from '../../erasure/runner.ts';
import type { SubjectRef } from '../../erasure/suppression.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { countRecords, datasetsOf, keysIn } from '../erase/context.ts';
import { inventoriedWork } from '../erase/inventoried.ts';
import { recordsClearedWork } from '../erase/stores-cleared.ts';
import { suppressedWork } from '../erase/suppressed.ts';
import { noteInLedger } from '../ledger.ts';
import type { Project } from '../project.ts';
import type { Version } from '../../schemas/version.ts';
import { rereadSubject } from '../reread-subject.ts';
import type { Subject } from '../subject.ts';
import { awaitTombstones } from './await-tombstones.ts';

export interface RestrictionParts {
  readonly project: Project;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** Whom the audit names. */
  readonly principal: string;
}

export interface Restricted {
  readonly state: 'restricted';
  readonly restriction: string;
  /** That are gone from topics and stores. */
  readonly records: number;
}

export interface Lifted {
  readonly state: 'lifted';
  readonly restriction: string;
  /** At the source, that were asked for again. */
  readonly rows: number;
}

/**
 * Stops the processing of a person: nothing of him passes any more, and what topics and stores have goes. The source and the key are left as
 * they are. Tombstones come from the transform: the rows are read again, and a row of who is suppressed becomes a delete. So a tombstone stands in
 * the order of its partition, and the row that is read again when the restriction is lifted is newer; one above the source's position, as an
 * erasure writes it, would beat that row. Whoever is cut short does it again: a step that is done again does no harm.
 */
export async function restrictSubject(
  parts: RestrictionParts,
  subject: Subject,
  reason: string,
): Promise<Restricted> {
  const { project, say, signal, principal } = parts;
  return withKeys(project, async (keys) => {
    const ref = await refOf(keys, subject);
    const restriction = await withKeyStore(project.config, (client) =>
      fileRestriction(client, randomUUID(), ref, reason, principal),
    );
    const context = { project, keys, logs: [], say };
    let erasure = erasureOf(restriction, ref, subject, principal);
    const done = async (what: string, work: StepWork): Promise<void> => {
      say(what);
      const [result] = await work([erasure], signal);
      erasure = { ...erasure, inventory: result!.inventory! };
    };
    await done('finding where everything is', inventoriedWork(context));
    await done('suppressing, and fencing what was begun before', suppressedWork(context, 'restriction'));
    await rereadSubject(project, subject, { say, signal });
    const tombstones = new Map<string, ReadonlyMap<string, Version>>();
    for (const dataset of datasetsOf(context, new Set([subject.type]))) {
      const { table } = dataset;
      const own = new Set(keysIn([erasure], table));
      tombstones.set(table, await awaitTombstones(project.config, dataset, own, signal));
    }
    const versionsOf = (_: unknown, { table }: { readonly table: string }) => tombstones.get(table)!;
    await done('clearing the stores', recordsClearedWork(context, versionsOf));
    return { state: 'restricted', restriction: restriction.id, records: countRecords(erasure).records };
  });
}

/**
 * Ends a restriction: the person may pass, and a lease later, when every process knows, Debezium is asked to read his rows again. They come as
 * newer than the tombstones, under the key that they had.
 */
export async function liftRestriction(
  { project, say, signal, principal }: RestrictionParts,
  subject: Subject,
): Promise<Lifted> {
  const { config } = project;
  return withKeys(project, async (keys) => {
    const ref = await refOf(keys, subject);
    const { id } = await withKeyStore(config, (client) => openRestriction(client, ref, principal));
    await noteInLedger(config, [{ subject: ref, state: 'lifted', request: id, by: 'restriction' }]);
    const rows = await rereadSubject(project, subject, { say, signal });
    await withKeyStore(config, (client) => endRestriction(client, id, principal));
    return { state: 'lifted', restriction: id, rows };
  });
}

/** What the steps of an erasure are given: a restriction has a suppression as a request has, and none of its deadlines. */
function erasureOf(
  { id, reason, restrictedAt }: Restriction,
  subject: SubjectRef,
  { type, id: subjectId }: Subject,
  principal: string,
): OpenErasure {
  return {
    request: {
      id,
      subject,
      reason,
      requestedBy: principal,
      receivedAt: restrictedAt,
      createdAt: restrictedAt,
      approvals: { needed: 0, given: [] },
      deadline: restrictedAt,
      step: 'suppressed',
      state: 'open',
      attempts: 0,
      retryAt: restrictedAt,
      problem: null,
      sealed: null,
      steps: [],
      identity: null,
      extension: null,
      ground: null,
    },
    inventory: newInventory(type, subjectId),
  };
}

async function refOf(keys: PostgresKeyStore, { type, id }: Subject): Promise<SubjectRef> {
  return { type, digest: await keys.subjectDigest({ type }, id) };
}

async function withKeys<T>({ config }: Project, work: (keys: PostgresKeyStore) => Promise<T>): Promise<T> {
  const keys = openKeyStore(config, 2);
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
}
