import { runRequests } from '../cli/erase/run-requests.ts';
import { openProject } from '../cli/project.ts';
import { deadlineOf } from '../erasure/deadline.ts';
import { newInventory, sealInventory } from '../erasure/inventory.ts';
import { fileRequest, type ErasureRequest } from '../erasure/requests.ts';
import { type ErasureStep, erasureSteps } from '../erasure/step.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { BenchProject } from './bench-project.ts';
import { subjectType } from './erasure-tables.ts';

/** How long the erasure of some persons took. */
export interface ErasureTimes {
  readonly persons: number;
  /** Seconds from the first request being filed until every store had acknowledged every deletion. */
  readonly acknowledged: number;
  /** And until what was deleted was off the stores' disks: the end of the step stores-cleared. */
  readonly deleted: number;
  /** Seconds until the last certificate was there and the requests' keys were gone. */
  readonly total: number;
  /** Seconds of each step, of all persons together. */
  readonly steps: Readonly<Record<ErasureStep, number>>;
  /** Bytes that the verification read. */
  readonly bytesVerified: number;
}

/** Files a request for each person and carries them out together, as `lethe erase` does. Fails where one is not done. */
export async function erasePersons(
  { configPath }: BenchProject,
  persons: readonly number[],
): Promise<ErasureTimes> {
  const project = await openProject(configPath);
  const { config } = project;
  const filedAt = Date.now();
  const ids: string[] = [];
  const keys = openKeyStore(config);
  try {
    await withKeyStore(config, async (client) => {
      for (const person of persons) {
        const id = `bench-${person}`;
        const receivedAt = new Date();
        const digest = await keys.subjectDigest({ type: subjectType }, String(person));
        const sealed = await sealInventory(keys, id, newInventory(subjectType, String(person)));
        await fileRequest(client, {
          id,
          subject: { type: subjectType, digest },
          reason: 'benchmark',
          requestedBy: 'bench',
          receivedAt,
          deadline: deadlineOf(receivedAt),
          sealed,
          approvalsNeeded: 0,
        });
        ids.push(id);
      }
    });
  } finally {
    await keys.close();
  }
  const requests = await runRequests(project, { only: new Set(ids), logs: [] });
  const total = (Date.now() - filedAt) / 1_000;
  const open = requests.find(({ state }) => state !== 'done');
  if (open || requests.length !== persons.length)
    throw new Error(`a request stands at ${open?.step}: ${open?.problem}`);
  const acknowledged = requests.map((request) => {
    const { startedAt, evidence } = doneStep(request, 'stores-cleared');
    return Date.parse(startedAt) + Number(evidence['acknowledgedMs']);
  });
  const ends = requests.map((request) => Date.parse(doneStep(request, 'stores-cleared').endedAt));
  return {
    persons: persons.length,
    acknowledged: (Math.max(...acknowledged) - filedAt) / 1_000,
    deleted: (Math.max(...ends) - filedAt) / 1_000,
    total,
    steps: Object.fromEntries(erasureSteps.map((step) => [step, secondsOf(requests, step)])) as Record<
      ErasureStep,
      number
    >,
    bytesVerified: Number(doneStep(requests[0]!, 'verified').evidence['bytes']),
  };
}

/** From the first that began it to the last that had done it. */
function secondsOf(requests: readonly ErasureRequest[], step: ErasureStep): number {
  const done = requests.map((request) => doneStep(request, step));
  const began = Math.min(...done.map(({ startedAt }) => Date.parse(startedAt)));
  return (Math.max(...done.map(({ endedAt }) => Date.parse(endedAt))) - began) / 1_000;
}

function doneStep({ steps }: ErasureRequest, step: ErasureStep) {
  return steps.findLast((done) => done.step === step)!;
}
