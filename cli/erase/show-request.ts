import type { ErasureRequest } from '../../erasure/requests.ts';
import { erasureSteps } from '../../erasure/step.ts';
import { renderTable } from '../table.ts';

/** A request as it may be shown to everybody: nothing of whom it is about. */
export function describeRequest(request: ErasureRequest) {
  const { id, subject, reason, requestedBy, receivedAt, deadline, step, state, attempts, problem, steps } =
    request;
  const { identity, extension, ground } = request;
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
    ...(identity === null ? {} : { identity }),
    ...(extension === null
      ? {}
      : { extension: { at: extension.at.toISOString(), reason: extension.reason } }),
    ...(ground === null ? {} : { ground }),
    attempts,
    ...(problem === null ? {} : { problem }),
    ...(certificate === undefined ? {} : { certificate }),
    steps,
  };
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
        state === 'needs-person' ? { text: 'needs a person', style: 'red' as const } : state,
        isOpen ? `${erasureSteps.indexOf(step) + 1} of ${erasureSteps.length}: ${step}` : '',
        deadline.toISOString().slice(0, 10),
        isOpen ? { text: `${days} days`, ...(days < 5 ? { style: 'red' as const } : {}) } : '',
        certificate === undefined ? '' : String(certificate),
      ];
    }),
  );
}

/** One request with what each step did. */
export function renderRequest(request: ErasureRequest): string {
  const { steps, problem } = request;
  const done = steps.map(({ step, startedAt, endedAt, attempts, evidence }) => [
    step,
    `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000).toFixed(1)} s`,
    String(attempts),
    Object.entries(evidence)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
  ]);
  const table = done.length > 0 ? renderTable(['step', 'took', 'attempts', 'evidence'], done) : '';
  return `${renderRequests([request])}\n${table}${problem === null ? '' : `last problem: ${problem}\n`}`;
}
