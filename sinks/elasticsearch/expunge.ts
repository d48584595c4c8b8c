import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@elastic/elasticsearch';
import { LetheError } from '../../schemas/errors.ts';
import type { Waiting } from '../removal.ts';
import { toLetheError } from './errors.ts';
import { readHistory } from './history.ts';
import { refreshIndex } from './refresh.ts';
import { send } from './request.ts';
import { readSegments } from './segments.ts';

/** What was in an index's segments before and after; numbers alone. */
export interface Expunged {
  readonly segmentsBefore: number;
  readonly deletedBefore: number;
  /** Under traffic not zero: what was replaced meanwhile. */
  readonly deletedAfter: number;
  readonly merges: number;
}

/** A single document is enough for a merge. */
const driving = { 'index.merge.policy.expunge_deletes_allowed': 0 } as const;
const own = { 'index.merge.policy.expunge_deletes_allowed': null } as const;
const lookMs = 250;

/**
 * Resolves when what was deleted or replaced in an index before the call is in no file of it any more. Elasticsearch keeps such documents
 * until a merge drops them, and keeps them in merges too while a copy of the shard might ask for the operation: as far as leases and the
 * last safe commit go. So it is flushed, the leases are waited for, which Elasticsearch moves every thirty seconds, and then every segment with
 * such a document is merged. The translog goes with the flush; a file that a search still reads goes when that ends.
 *
 * A merge that was under way before the leases had passed may have kept some: so segments are merged twice, unless there are no deleted
 * documents left. Fails with SERVER_FAILED after the limit.
 */
export async function expungeDeleted(client: Client, index: string, waiting: Waiting): Promise<Expunged> {
  const deadline = performance.now() + waiting.limitMs;
  await refreshIndex(client, index);
  const before = await readSegments(client, index);
  const found = { segmentsBefore: before.length, deletedBefore: deletedOf(before) };
  // What was merged away before may be in the last commit, and anything in the translog.
  await flush(client, index);
  if (found.deletedBefore === 0) return { ...found, deletedAfter: 0, merges: 0 };
  await changeSettings(client, index, driving);
  try {
    await leasesPassed(client, index, deadline, waiting);
    let [merges, deletedAfter] = [0, 0];
    for (let passes = 0; passes < 2; ) {
      const dirty = new Set(
        (await readSegments(client, index)).flatMap((s) => (s.deleted > 0 ? [s.id] : [])),
      );
      await merge(client, index, deadline);
      merges++;
      await flush(client, index);
      await refreshIndex(client, index);
      const after = await readSegments(client, index);
      deletedAfter = deletedOf(after);
      if (deletedAfter === 0) break;
      if (!after.some(({ id }) => dirty.has(id))) passes++;
      else if (performance.now() > deadline) throw gaveUp(index, waiting, 'was not merged');
      else await sleep(lookMs, undefined, { signal: waiting.signal });
    }
    return { ...found, deletedAfter, merges };
  } finally {
    await changeSettings(client, index, own);
  }
}

/** Waits until no operation of before is kept for anybody. */
async function leasesPassed(
  client: Client,
  index: string,
  deadline: number,
  waiting: Waiting,
): Promise<void> {
  const last = new Map<string, number>();
  for (const { shard, last: own } of await readHistory(client, index))
    last.set(shard, Math.max(own, last.get(shard) ?? -1));
  for (;;) {
    const history = await readHistory(client, index);
    if (history.every(({ shard, keptFrom }) => keptFrom > (last.get(shard) ?? -1))) break;
    if (performance.now() > deadline)
      throw gaveUp(index, waiting, 'is kept for a copy, or a follower, that is behind');
    await sleep(lookMs, undefined, { signal: waiting.signal });
  }
  // A commit that was made while a copy lagged is not a safe one yet.
  await flush(client, index);
}

function deletedOf(segments: readonly { readonly deleted: number }[]): number {
  return segments.reduce((sum, { deleted }) => sum + deleted, 0);
}

async function merge(client: Client, index: string, deadline: number): Promise<void> {
  const path = `/${encodeURIComponent(index)}/_forcemerge?only_expunge_deletes=true`;
  // It answers when the merge is done, which goes on where nobody waits.
  const requestTimeout = Math.max(1_000, deadline - performance.now());
  try {
    await client.transport.request({ method: 'POST', path }, { requestTimeout });
  } catch (error) {
    throw toLetheError(error, `merge the segments of ${index}`);
  }
}

function changeSettings(client: Client, index: string, settings: object): Promise<void> {
  const path = `/${encodeURIComponent(index)}/_settings`;
  return send(client, 'PUT', path, settings, `change settings of index ${index}`);
}

function flush(client: Client, index: string): Promise<void> {
  const path = `/${encodeURIComponent(index)}/_flush?force=true&wait_if_ongoing=true`;
  return send(client, 'POST', path, undefined, `flush ${index}`);
}

function gaveUp(index: string, { limitMs }: Waiting, how: string): LetheError {
  return new LetheError(
    'SERVER_FAILED',
    `What was deleted in index ${index} ${how}: it is there after ${limitMs / 1_000} s.`,
    {
      fix: 'Look at GET _segments and at the retention leases in GET _stats?level=shards; it is tried again.',
    },
  );
}
