import { approvalsMissing } from '../../erasure/approvals.ts';
import { type Notice, overdueNotices } from '../../erasure/notices.ts';
import { type ErasureRequest, listRequests } from '../../erasure/requests.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { renderTable } from '../table.ts';

/** Where requests of erasures stand, in numbers and names of requests. */
export interface ErasureStatus {
  readonly open: number;
  readonly needsPerson: number;
  /** Those that nothing is done for before somebody else has approved them. */
  readonly waitForApproval: number;
  /** Since the oldest that is not answered was received, ms; undefined where none is open. */
  readonly oldestOpenMs?: number;
  /** Those whose deadline is near or has passed, the first in front. */
  readonly alarms: readonly DeadlineAlarm[];
  /** Recipients who were told long ago and have not acknowledged, the oldest in front. */
  readonly unacknowledged: readonly NoticeAlarm[];
}

export interface DeadlineAlarm {
  readonly request: string;
  /** ISO 8601. */
  readonly deadline: string;
  /** Below zero where it has passed. */
  readonly leftMs: number;
  readonly waitsForApproval: boolean;
}

export interface NoticeAlarm {
  readonly request: string;
  readonly recipient: string;
  /** ISO 8601. */
  readonly toldAt: string;
}

const dayMs = 86_400_000;
/** So near to its deadline a request is shouted about. */
const nearMs = 5 * dayMs;

/** Undefined where the key store does not answer, or has no requests yet. */
export async function readErasureStatus(
  config: Pick<Config, 'keys' | 'erasure'>,
  now = Date.now(),
): Promise<ErasureStatus | undefined> {
  try {
    return await withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ there: boolean }>(
        `select to_regclass('lethe_erasure.notices') is not null as there`,
      );
      if (!rows[0]!.there) return undefined;
      const requests = await listRequests(client, ['open', 'needs-person']);
      return erasureStatusOf(requests, now, await overdueNotices(client, config.erasure.acknowledgeDays));
    });
  } catch (error) {
    if (error instanceof LetheError) return undefined;
    throw error;
  }
}

/** The same of these requests, which are not answered, and these notices, which are overdue; `now`: ms since the epoch. */
export function erasureStatusOf(
  requests: readonly Pick<
    ErasureRequest,
    'id' | 'state' | 'step' | 'approvals' | 'receivedAt' | 'deadline'
  >[],
  now: number,
  overdue: readonly Pick<Notice, 'request' | 'recipient' | 'noticedAt'>[] = [],
): ErasureStatus {
  const oldest = Math.min(...requests.map(({ receivedAt }) => receivedAt.getTime()));
  return {
    open: requests.length,
    needsPerson: requests.filter(({ state }) => state === 'needs-person').length,
    waitForApproval: requests.filter((request) => approvalsMissing(request) > 0).length,
    ...(requests.length === 0 ? {} : { oldestOpenMs: now - oldest }),
    alarms: requests
      .map((request) => ({
        request: request.id,
        deadline: request.deadline.toISOString(),
        leftMs: request.deadline.getTime() - now,
        waitsForApproval: approvalsMissing(request) > 0,
      }))
      .filter(({ leftMs }) => leftMs <= nearMs)
      .toSorted((a, b) => a.leftMs - b.leftMs),
    unacknowledged: overdue.map(({ request, recipient, noticedAt }) => ({
      request,
      recipient,
      toldAt: noticedAt.toISOString(),
    })),
  };
}

/** A line for the table of parts. */
export function erasuresText({
  open,
  needsPerson,
  waitForApproval,
  oldestOpenMs,
}: Omit<ErasureStatus, 'alarms' | 'unacknowledged'>): string {
  if (oldestOpenMs === undefined) return 'no request is open';
  const stopped = needsPerson === 0 ? '' : `, ${needsPerson} need a person`;
  const waiting = waitForApproval === 0 ? stopped : `${stopped}, ${waitForApproval} wait for approval`;
  return `${open} open${waiting}, the oldest since ${Math.floor(oldestOpenMs / dayMs)} days`;
}

/** The alarms for people; nothing where there are none. */
export function renderDeadlines({ alarms }: Pick<ErasureStatus, 'alarms'>): string {
  if (alarms.length === 0) return '';
  return renderTable(
    ['ALARM', 'deadline', 'what, and the way out'],
    alarms.map(({ request, deadline, leftMs, waitsForApproval }) => [
      { text: `request ${request}`, style: 'red' },
      deadline.slice(0, 10),
      `${leftText(leftMs)} -> \`lethe erase ${waitsForApproval ? 'approve' : 'resume'} ${request}\`${leftMs > 0 ? `, or \`lethe erase extend ${request}\`` : ''}`,
    ]),
  );
}

/** Recipients who have not acknowledged, for people; nothing where there are none. */
export function renderUnacknowledged({ unacknowledged }: Pick<ErasureStatus, 'unacknowledged'>): string {
  if (unacknowledged.length === 0) return '';
  return renderTable(
    ['ALARM', 'told', 'what, and the way out'],
    unacknowledged.map(({ request, recipient, toldAt }) => [
      { text: `recipient ${recipient}`, style: 'red' },
      toldAt.slice(0, 10),
      `has not acknowledged request ${request} -> ask, then \`lethe erase acknowledge ${request} --recipient ${recipient}\``,
    ]),
  );
}

function leftText(leftMs: number): string {
  if (leftMs <= 0) return 'the deadline has PASSED';
  const days = Math.floor(leftMs / dayMs);
  return `is to be answered within ${days < 1 ? 'a day' : `${days} days`}`;
}
