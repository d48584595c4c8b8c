import { type ErasureRequest, listRequests } from '../../erasure/requests.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { renderTable } from '../table.ts';

/** Where requests of erasures stand, in numbers and names of requests. */
export interface ErasureStatus {
  readonly open: number;
  readonly needsPerson: number;
  /** Since the oldest that is not answered was received, ms; undefined where none is open. */
  readonly oldestOpenMs?: number;
  /** Those whose deadline is near or has passed, the first in front. */
  readonly alarms: readonly DeadlineAlarm[];
}

export interface DeadlineAlarm {
  readonly request: string;
  /** ISO 8601. */
  readonly deadline: string;
  /** Below zero where it has passed. */
  readonly leftMs: number;
}

const dayMs = 86_400_000;
/** So near to its deadline a request is shouted about. */
const nearMs = 5 * dayMs;

/** Undefined where the key store does not answer, or has no requests yet. */
export async function readErasureStatus(
  config: Pick<Config, 'keys'>,
  now = Date.now(),
): Promise<ErasureStatus | undefined> {
  try {
    return await withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ there: boolean }>(
        `select to_regclass('lethe_erasure.restrictions') is not null as there`,
      );
      return rows[0]!.there
        ? erasureStatusOf(await listRequests(client, ['open', 'needs-person']), now)
        : undefined;
    });
  } catch (error) {
    if (error instanceof LetheError) return undefined;
    throw error;
  }
}

/** The same of these requests, which are not answered; `now`: ms since the epoch. */
export function erasureStatusOf(
  requests: readonly Pick<ErasureRequest, 'id' | 'state' | 'receivedAt' | 'deadline'>[],
  now: number,
): ErasureStatus {
  const oldest = Math.min(...requests.map(({ receivedAt }) => receivedAt.getTime()));
  return {
    open: requests.length,
    needsPerson: requests.filter(({ state }) => state === 'needs-person').length,
    ...(requests.length === 0 ? {} : { oldestOpenMs: now - oldest }),
    alarms: requests
      .map(({ id, deadline }) => ({
        request: id,
        deadline: deadline.toISOString(),
        leftMs: deadline.getTime() - now,
      }))
      .filter(({ leftMs }) => leftMs <= nearMs)
      .toSorted((a, b) => a.leftMs - b.leftMs),
  };
}

/** A line for the table of parts. */
export function erasuresText({ open, needsPerson, oldestOpenMs }: ErasureStatus): string {
  if (oldestOpenMs === undefined) return 'no request is open';
  const waiting = needsPerson === 0 ? '' : `, ${needsPerson} need a person`;
  return `${open} open${waiting}, the oldest since ${Math.floor(oldestOpenMs / dayMs)} days`;
}

/** The alarms for people; nothing where there are none. */
export function renderDeadlines({ alarms }: Pick<ErasureStatus, 'alarms'>): string {
  if (alarms.length === 0) return '';
  return renderTable(
    ['ALARM', 'deadline', 'what, and the way out'],
    alarms.map(({ request, deadline, leftMs }) => [
      { text: `request ${request}`, style: 'red' },
      deadline.slice(0, 10),
      `${leftText(leftMs)} -> \`lethe erase resume ${request}\`${leftMs > 0 ? `, or \`lethe erase extend ${request}\`` : ''}`,
    ]),
  );
}

function leftText(leftMs: number): string {
  if (leftMs <= 0) return 'the deadline has PASSED';
  const days = Math.floor(leftMs / dayMs);
  return `is to be answered within ${days < 1 ? 'a day' : `${days} days`}`;
}
