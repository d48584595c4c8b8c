import { describe, expect, it } from 'vitest';
import { planRecovery } from '../../../cli/recover/plan-recovery.ts';
import type { LedgerRecord } from '../../../keys/ledger/ledger-record.ts';

const person = { type: 'customer', digest: 'ab12' };
let seq = 0;
const record = (
  state: LedgerRecord['state'],
  request: string,
  more: Partial<LedgerRecord> = {},
): LedgerRecord => ({
  store: 's',
  timeline: 0,
  seq: String(++seq),
  ...person,
  state,
  by: 'request',
  request,
  key: '',
  ...more,
});

/** What a key store has of the person, its requests and restrictions: whether they are open. */
interface Backup {
  readonly suppressedBy?: string;
  readonly keyId?: string | null;
  readonly alive?: boolean;
  readonly requests?: Record<string, boolean>;
  readonly restrictions?: Record<string, boolean>;
  /** Entries of the audit that say that somebody was let in under a key. */
  readonly returns?: Record<string, string>;
}

async function planOf(records: readonly LedgerRecord[], backup: Backup) {
  const {
    suppressedBy = null,
    keyId = 'K0',
    alive = true,
    requests = {},
    restrictions = {},
    returns = {},
  } = backup;
  const rowsOf = (ids: Record<string, boolean>) => Object.entries(ids).map(([id, open]) => ({ id, open }));
  const query = async (text: string) => {
    if (text.includes('lethe_erasure.requests')) return { rows: rowsOf(requests) };
    if (text.includes('lethe_erasure.restrictions')) return { rows: rowsOf(restrictions) };
    if (text.includes('lethe_keys.audit')) {
      return { rows: Object.entries(returns).map(([id, at]) => ({ keyId: id, seq: at })) };
    }
    return { rows: [{ suppressedBy, keyId, alive }] };
  };
  const ledger = {
    records,
    timeline: 0,
    leftOut: 0,
    isKeyOf: ({ key }: LedgerRecord, id: string) => key === id,
  };
  const plan = await planRecovery({ query } as never, ledger);
  const short = (list: readonly LedgerRecord[]) => list.map(({ state, request }) => `${state} ${request}`);
  return { ...plan, erase: short(plan.erase), suppress: short(plan.suppress), lift: short(plan.lift) };
}

const nothing = { erase: [], suppress: [], lift: [], returned: 0 };
const erased = { suppressedBy: 'R', alive: false, requests: { R: false } };

describe('what an older key store is told of a person', () => {
  it.each<[string, () => readonly LedgerRecord[], Backup, object]>([
    ['who was erased since', () => [record('destroyed', 'R')], {}, { ...nothing, erase: ['destroyed R'] }],
    [
      'who had no key then',
      () => [record('destroyed', 'R')],
      { keyId: null, alive: false },
      { erase: ['destroyed R'] },
    ],
    [
      'who was suppressed then',
      () => [record('destroyed', 'R')],
      { suppressedBy: 'R' },
      { erase: ['destroyed R'] },
    ],
    ['who was erased by then', () => [record('destroyed', 'R')], erased, nothing],
    [
      'whose erasure stopped half-way',
      () => [record('suppressed', 'R')],
      { requests: { R: true } },
      { ...nothing, suppress: ['suppressed R'] },
    ],
    [
      'who was suppressed by a request that ended before the backup',
      () => [record('suppressed', 'R')],
      { requests: { R: false } },
      nothing,
    ],
    [
      'whose request was taken back since',
      () => [record('lifted', 'R')],
      { suppressedBy: 'R', requests: { R: true } },
      { ...nothing, lift: ['lifted R'] },
    ],
    [
      'whose request was taken back by then',
      () => [record('lifted', 'R')],
      { requests: { R: false } },
      nothing,
    ],
    [
      'who is under a restriction since, and whose request was taken back',
      () => [record('suppressed', 'r', { by: 'restriction' }), record('lifted', 'R')],
      { suppressedBy: 'R', requests: { R: true } },
      { ...nothing, lift: ['lifted R'], suppress: ['suppressed r'] },
    ],
    [
      'whose restriction began since, while a request had suppressed them',
      () => [record('suppressed', 'r', { by: 'restriction' })],
      { suppressedBy: 'R', requests: { R: true } },
      { ...nothing, suppress: ['suppressed r'] },
    ],
    [
      'who was erased and let in again since',
      () => [record('destroyed', 'R'), record('readmitted', '', { key: 'K1' })],
      {},
      { ...nothing, erase: ['readmitted '], returned: 1 },
    ],
    [
      'who was let in again by then',
      () => [record('destroyed', 'R'), record('readmitted', '', { key: 'K1' })],
      { keyId: 'K1', requests: { R: false } },
      nothing,
    ],
    [
      'who was let in again by then, and erased once more',
      () => [record('destroyed', 'R'), record('readmitted', '', { key: 'K1' }), record('destroyed', 'Q')],
      { keyId: 'K1', requests: { R: false } },
      { ...nothing, erase: ['destroyed Q'] },
    ],
    [
      'who was let in again by then, which nobody could note',
      () => [record('destroyed', 'R', { seq: '10' })],
      { keyId: 'K1', requests: { R: false }, returns: { K1: '15' } },
      nothing,
    ],
    [
      'who was let in again by then, which nobody could note, and erased once more',
      () => [record('destroyed', 'R', { seq: '10' }), record('destroyed', 'Q', { seq: '15' })],
      { keyId: 'K1', requests: { R: false }, returns: { K1: '15' } },
      { ...nothing, erase: ['destroyed Q'] },
    ],
  ])('%s', async (_who, records, backup, expected) => {
    expect(await planOf(records(), backup)).toMatchObject(expected);
  });

  it('and of requests that it lacks, or would carry out as if they were open', async () => {
    const plan = await planOf([record('destroyed', 'R'), record('suppressed', 'Q'), record('lifted', 'P')], {
      requests: { R: true },
    });
    expect(plan).toMatchObject({ again: ['R'], lost: [{ request: 'Q', state: 'suppressed' }] });
  });
});
