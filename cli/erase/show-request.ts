import { approvalsMissing } from '../../erasure/approvals.ts';
import type { Notice } from '../../erasure/notices.ts';
import type { ErasureRequest } from '../../erasure/requests.ts';
import { erasureSteps } from '../../erasure/step.ts';
import { type Cell, renderTable } from '../table.ts';
import { describeNotice, renderNotices } from './show-notices.ts';

/** A request as it may be shown to everybody: nothing of whom it is about. `notices`: what its recipients were told, as far as it is asked for. */
export function describeRequest(request: ErasureRequest, notices: readonly Notice[] = []) {
  const { id, subject, reason, requestedBy, receivedAt, deadline, step, state, attempts, problem, steps } =
    request;
  const { identity, extension, ground, approvals } = request;
  const missing = approvalsMissing(request);
  const certificate = steps.find((done) => done.step === 'certified')?.evidence['certificate'];
  return {
    request: id,
    subjectType: subject.type,
    state,
    step,
    reason,
    requestedBy,
    receivedAt: receivedAt.toISOString(),
    deadline: deadline.toISOString(),
    ...(approvals.needed === 0
      ? {}
      : {
          approvals: {
            needed: approvals.needed,
            missing,
            given: approvals.given.map(({ principal, at, counts }) => ({
              by: principal,
              at: at.toISOString(),
              ...(counts ? {} : { disabled: true }),
            })),
          },
        }),
    ...(identity === null ? {} : { identity }),
    ...(extension === null
      ? {}
      : { extension: { at: extension.at.toISOString(), reason: extension.reason } }),
    ...(ground === null ? {} : { ground }),
    attempts,
    ...(problem === null ? {} : { problem }),
    ...(certificate === undefined ? {} : { certificate }),
    steps,
    ...(notices.length === 0 ? {} : { recipients: notices.map(describeNotice) }),
  };
}

/** What a request waits for that others must approve; undefined for one that waits for nobody. */
export function waitingText(request: ErasureRequest): string | undefined {
  const missing = approvalsMissing(request);
  if (missing === 0) return undefined;
  const { id, requestedBy } = request;
  const count = missing === 1 ? '1 approval' : `${missing} approvals`;
  return `request ${id} waits for ${count}, not by ${requestedBy}: \`lethe erase approve ${id}\`\n`;
}

/** For people, what a request's state comes to. */
function stateCell(request: ErasureRequest): Cell | string {
  if (request.state === 'needs-person') return { text: 'needs a person', style: 'red' };
  return approvalsMissing(request) > 0 ? 'waits for approval' : request.state;
}

/** Requests, a line each. */
export function renderRequests(requests: readonly ErasureRequest[], now = new Date()): string {
  if (requests.length === 0) return 'no requests\n';
  return renderTable(
    ['request', 'kind', 'state', 'step', 'deadline', 'left', 'certificate'],
    requests.map((request) => {
      const { state, step, deadline } = request;
      const days = Math.floor((deadline.getTime() - now.getTime()) / 86_400_000);
      const isOpen = state === 'open' || state === 'needs-person';
      const certificate = describeRequest(request).certificate;
      return [
        request.id,
        request.subject.type,
        stateCell(request),
        isOpen ? `${erasureSteps.indexOf(step) + 1} of ${erasureSteps.length}: ${step}` : '',
        deadline.toISOString().slice(0, 10),
        isOpen ? { text: `${days} days`, ...(days < 5 ? { style: 'red' as const } : {}) } : '',
        certificate === undefined ? '' : String(certificate),
      ];
    }),
  );
}

/** One request with who approved it, what each step did, and what its recipients were told. */
export function renderRequest(request: ErasureRequest, notices: readonly Notice[] = []): string {
  const { steps, problem, approvals } = request;
  const done = steps.map(({ step, startedAt, endedAt, attempts, evidence }) => [
    step,
    `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000).toFixed(1)} s`,
    String(attempts),
    Object.entries(evidence)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ]);
  const table = done.length > 0 ? renderTable(['step', 'took', 'attempts', 'evidence'], done) : '';
  const parts = [
    waitingText(request) ?? '',
    ...approvals.given.map(
      ({ principal, at, counts }) =>
        `approved by ${principal} at ${at.toISOString()}${counts ? '' : ', who was disabled since'}\n`,
    ),
    table,
    renderNotices(notices),
    problem === null ? '' : `last problem: ${problem}\n`,
  ];
  return `${renderRequests([request])}\n${parts.join('')}`;
}
