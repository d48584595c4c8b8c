import { refuseHeld, releaseHold } from '../../erasure/holds.ts';
import { incomplete } from '../../erasure/incomplete.ts';
import { noticeFailure } from '../../erasure/notice-topic.ts';
import { acknowledgeNotice } from '../../erasure/notices.ts';
import { cancelRequest, fileRequest, findRequest, noSuchRequest } from '../../erasure/requests.ts';
import { extendRequest, refuseRequest } from '../../erasure/request-duties.ts';
import { fileRestriction, openRestriction } from '../../erasure/restrictions.ts';
import { newInventory, openInventory, sealInventory } from '../../erasure/inventory.ts';
import { linkedSubjects, linkSubjects, unlinkSubject } from '../../keys/linked-subjects.ts';
import { requireErased } from '../../keys/readmit-subject.ts';
import { testSubjectKey } from './test-keys.ts';

/** What fails with requests of erasures; `canary` is whatever a person's id or a reason may be. */
export function erasureFailures(canary: string): readonly (() => unknown)[] {
  const subject = { type: 'customer', digest: Buffer.from(canary) };
  const row = {
    id: 'r',
    subject_type: 'customer',
    subject_digest: Buffer.from('another'),
    reason: canary,
    step: 'certified',
    state: 'done',
  };
  const database = (...answers: object[][]) => {
    const left = [...answers];
    return {
      query: async (text: string) => {
        if (/^(begin|commit|rollback)/.test(text)) return { rows: [], rowCount: 0 };
        const rows = left.shift() ?? [];
        return { rows, rowCount: rows.length };
      },
    } as never;
  };
  const file = {
    id: 'r',
    subject,
    reason: canary,
    requestedBy: canary,
    receivedAt: new Date(),
    deadline: new Date(),
  };
  const whole = { ...file, sealed: Buffer.from(canary), approvalsNeeded: 0 };
  const keyless = { dataKeys: async () => [null] };
  const unlinked = { ...keyless, subjectDigest: async () => subject.digest };
  return [
    () => refuseHeld(database([{ basis: 'HGB 257', heldAt: new Date() }]), subject),
    () => releaseHold(database([]), subject, canary),
    () => unlinkSubject(database([]), unlinked, 'customer', canary, canary),
    () => linkSubjects(database([subject]), unlinked, 'customer', [canary, 'other'], canary),
    () => linkSubjects(database([], []), unlinked, 'customer', [canary, 'other'], canary),
    () => linkedSubjects(database([{ person: 'p' }], [whole]), keyless, 'customer', subject.digest),
    () => requireErased(database([{ kept: 1 }]), 'customer', subject.digest),
    () => fileRequest(database([], [row]), whole),
    () => fileRequest(database([], [], [{ id: 'other' }]), whole),
    () => cancelRequest(database([]), 'r', canary),
    () => cancelRequest(database([row]), 'r', canary),
    () => cancelRequest(database([{ ...row, state: 'refused' }]), 'r', canary),
    () => extendRequest(database([{ ...row, extended_at: new Date(), extension: '' }]), 'r', canary, canary),
    () => extendRequest(database([row]), 'r', canary, canary),
    () =>
      extendRequest(database([{ ...row, state: 'open', received_at: new Date() }], []), 'r', canary, canary),
    () => refuseRequest(database([row]), 'r', canary, canary),
    () => refuseRequest(database([{ ...row, state: 'open' }]), 'r', canary, canary),
    () => acknowledgeNotice(database([], []), { request: 'r', recipient: canary }, canary, canary),
    () => {
      const answer = Object.assign(new Error(canary), { type: 'UNKNOWN_TOPIC_OR_PARTITION' });
      throw noticeFailure('notices.shop', new Error(canary, { cause: answer }));
    },
    () => fileRestriction(database([row]), 'r', subject, canary, canary),
    () => openRestriction(database([], []), subject, canary),
    async () => {
      if (!(await findRequest(database([]), 'r'))) throw noSuchRequest('r');
    },
    () => {
      throw incomplete('clean topics', 1);
    },
    () => sealInventory(keyless, 'r', newInventory('customer', canary)),
    () => openInventory({ dataKeys: async () => [testSubjectKey()] }, 'r', Buffer.from(canary)),
  ];
}
