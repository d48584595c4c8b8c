import type { ClientBase } from 'pg';
import { forgetRequests } from '../../erasure/forget-requests.ts';
import { openInventory } from '../../erasure/inventory.ts';
import {
  type ErasureRequest,
  findRequest,
  listRequests,
  noSuchRequest,
  requestsAlong,
} from '../../erasure/requests.ts';
import { erasureSteps } from '../../erasure/step.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import type { Config } from '../../schemas/config.ts';
import { noteInLedger } from '../ledger.ts';
import type { Project } from '../project.ts';
import { takeBackRetained } from './end-retained.ts';
import { rereadSubject } from '../reread-subject.ts';
import type { Subject } from '../subject.ts';

/**
 * Ends a request by `end`, which fails where that may not be, and forgets what it knew; and with it those of the person's other ids. Where the person
 * was suppressed by then, his rows are read again: those that changed meanwhile were taken as deletes. Gives the request as it stands then.
 */
export async function withdraw(
  config: Config,
  /** Asked for when the request has ended: what is wrong with a contract must not keep anybody from ending it. */
  openProject: () => Promise<Project>,
  id: string,
  end: (client: ClientBase, one: string) => Promise<unknown>,
): Promise<ErasureRequest> {
  const before = await withKeyStore(config, async (client) => {
    const ids = await requestsAlong(client, id);
    return listRequests(client, undefined, new Set(ids));
  });
  const own = before.find((request) => request.id === id);
  if (!own) throw noSuchRequest(id);
  // Nobody can open them once the requests have ended.
  const subjects: Subject[] = [];
  for (const request of before) subjects.push(...(await suppressedBy(config, request)));
  await withKeyStore(config, async (client) => {
    // The one that is furthest first: where it cannot be ended any more, none is.
    const stepOf = ({ step }: ErasureRequest): number => erasureSteps.indexOf(step);
    for (const { id: one } of before.toSorted((a, b) => stepOf(b) - stepOf(a))) await end(client, one);
  });
  await noteInLedger(
    config,
    before.map(({ id: request, subject }) => ({ subject, state: 'lifted' as const, request })),
  );
  await forgetRequests(config);
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  const project = subjects.length > 0 ? await openProject() : undefined;
  if (project) await takeBackAll(project, before, say);
  for (const subject of subjects) await rereadSubject(project!, subject, { say });
  return (await withKeyStore(config, (client) => findRequest(client, id))) ?? own;
}

/** Whom the request may suppress by now; nobody of one that was not begun, or has ended. */
async function suppressedBy(config: Config, { id, step, sealed }: ErasureRequest): Promise<Subject[]> {
  if (step === 'checked' || sealed === null) return [];
  const keys = openKeyStore(config);
  try {
    return [(await openInventory(keys, id, sealed)).subject];
  } finally {
    await keys.close();
  }
}

/** What was kept apart of the persons must not stand beside their rows. */
async function takeBackAll(
  project: Project,
  requests: readonly ErasureRequest[],
  say: (text: string) => void,
): Promise<void> {
  const keys = openKeyStore(project.config);
  try {
    for (const { id } of requests) await takeBackRetained({ project, keys, logs: [], say }, { request: id });
  } finally {
    await keys.close();
  }
}
