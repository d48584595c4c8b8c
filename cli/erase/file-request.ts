import { randomUUID } from 'node:crypto';
import { deadlineOf } from '../../erasure/deadline.ts';
import { newInventory, sealInventory } from '../../erasure/inventory.ts';
import { type ErasureRequest, fileRequest, type NewRequest } from '../../erasure/requests.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
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

/** The request with all that the key store has to say to it: the person by digest, what is known of him sealed. Nothing is filed. */
export async function prepareRequest(
  project: Project,
  keys: PostgresKeyStore,
  { subject, reason, requestId, receivedAt = new Date(), identity }: Filing,
  principal: string,
): Promise<NewRequest> {
  const { type, id } = subject;
  requireType(project, type);
  const request = requestId ?? randomUUID();
  const digest = await keys.subjectDigest({ type }, id);
  return {
    id: request,
    subject: { type, digest },
    reason,
    requestedBy: principal,
    receivedAt,
    deadline: deadlineOf(receivedAt),
    approvalsNeeded: project.config.erasure.approvals,
    sealed: await sealInventory(keys, request, newInventory(type, id)),
    ...(identity === undefined ? {} : { identity }),
  };
}

/** Files a request; see {@link fileRequest} for what is refused, and requireType. */
export async function fileErasure(
  project: Project,
  keys: PostgresKeyStore,
  filing: Filing,
  principal: string,
): Promise<ErasureRequest> {
  const request = await prepareRequest(project, keys, filing, principal);
  return withKeyStore(project.config, (client) => fileRequest(client, request));
}
