import { randomUUID } from 'node:crypto';
import { deadlineOf } from '../../erasure/deadline.ts';
import { newInventory, sealInventory } from '../../erasure/inventory.ts';
import { type ErasureRequest, insertRequest, type NewRequest } from '../../erasure/requests.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { everyIdOf } from '../linked.ts';
import type { Project } from '../project.ts';
import type { Subject } from '../subject.ts';
import { requireType } from './context.ts';

/** A request as it comes in: from the command, from a file or over HTTP. */
export interface Filing {
  readonly subject: Subject;
  readonly reason: string;
  /** Drawn by lot if left out. */
  readonly requestId?: string;
  /** Now if left out. */
  readonly receivedAt?: Date;
  /** What the check of who asks is filed under. */
  readonly identity?: string;
}

/** ISO 8601, and not to come. */
export function isPastTime(text: string): boolean {
  const time = new Date(text).getTime();
  return /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(time) && time <= Date.now();
}

/**
 * The request with all that the key store has to say to it: the person by digest, what is known of him sealed. A person with several ids has a
 * request for each: the given id's first, then `<its name>.2` and so on. Nothing is filed.
 */
export async function prepareRequests(
  project: Project,
  keys: PostgresKeyStore,
  { subject, reason, requestId, receivedAt = new Date(), identity }: Filing,
  principal: string,
): Promise<[NewRequest, ...NewRequest[]]> {
  requireType(project, subject.type);
  const name = requestId ?? randomUUID();
  const prepare = async ({ type, id }: Subject, request: string): Promise<NewRequest> => ({
    ...(request === name ? {} : { along: name }),
    id: request,
    subject: { type, digest: await keys.subjectDigest({ type }, id) },
    reason,
    requestedBy: principal,
    receivedAt,
    deadline: deadlineOf(receivedAt),
    approvalsNeeded: project.config.erasure.approvals,
    sealed: await sealInventory(keys, request, newInventory(type, id)),
    ...(identity === undefined ? {} : { identity }),
  });
  const [own, ...others] = await everyIdOf(project.config, keys, subject);
  const requests: [NewRequest, ...NewRequest[]] = [await prepare(own, name)];
  for (const [i, other] of others.entries()) requests.push(await prepare(other, `${name}.${i + 2}`));
  return requests;
}

/** Files a request, and one for each other id of the person, or none; see insertRequest for what is refused, and requireType. */
export async function fileErasure(
  project: Project,
  keys: PostgresKeyStore,
  filing: Filing,
  principal: string,
): Promise<[ErasureRequest, ...ErasureRequest[]]> {
  const [own, ...others] = await prepareRequests(project, keys, filing, principal);
  return withKeyStore(project.config, (client) =>
    inTransaction(client, async () => {
      const filed: [ErasureRequest, ...ErasureRequest[]] = [await insertRequest(client, own)];
      for (const other of others) filed.push(await insertRequest(client, other));
      return filed;
    }),
  );
}
