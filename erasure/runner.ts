import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { inTransaction, withKeyStore } from '../keys/key-store-client.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { backoffMs } from '../pipeline/retry.ts';
import type { Config } from '../schemas/config.ts';
import { isRetriable, LetheError, safeReason } from '../schemas/errors.ts';
import { approvalsMissing } from './approvals.ts';
import { type Inventory, openInventory, requestSubjectType, sealInventory } from './inventory.ts';
import { type ErasureRequest, listRequests, noteFailure, noteStep } from './requests.ts';
import { type DoneStep, type ErasureStep, type Evidence, erasureSteps } from './step.ts';

/** A request that is being worked on. */
export interface OpenErasure {
  readonly request: ErasureRequest;
  readonly inventory: Inventory;
}

/** What a step came to for one request. */
export interface StepResult {
  readonly evidence: Evidence;
  /** What is known of the person now; null where nobody may know it any more. */
  readonly inventory: Inventory | null;
}

/**
 * Does a step for several persons at once: one fence, one compaction, one scan serve them all. May be done again after any part of it, also by two
 * at once. Answers in the order it was asked.
 */
export type StepWork = (erasures: readonly OpenErasure[], signal: AbortSignal) => Promise<StepResult[]>;

export interface RunnerParts {
  readonly config: Pick<Config, 'keys'>;
  readonly keys: Pick<KeyStore, 'dataKeys'>;
  readonly work: Readonly<Record<ErasureStep, StepWork>>;
  /** Which requests; all that are open if left out. */
  readonly only?: ReadonlySet<string>;
  readonly onStep?: (
    step: ErasureStep,
    requests: readonly string[],
    state: 'begun' | 'done' | 'failed',
    why?: string,
  ) => void;
  readonly signal: AbortSignal;
}

/** After so many attempts a person has to look. */
export const mostAttempts = 8;
/** How often somebody looks whether another runner is done with what it holds. */
const lookMs = 500;

/**
 * Drives requests through their steps, all of those that stand at the earliest one together. Where a request stands is in Postgres, and moves
 * only when a step is done: whoever is killed has done a step that is done again. A lock keeps two runners from doing the same; should it be
 * lost, the steps still do no harm twice.
 */
export class ErasureRunner {
  readonly #parts: RunnerParts;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Until each request is done, cancelled, needs a person or waits for an approval. Those that are named and need one are tried once more. */
  async run(): Promise<void> {
    const { config, signal } = this.#parts;
    await withKeyStore(config, async (client) => {
      await this.#reopen(client);
      for (;;) {
        signal.throwIfAborted();
        const open = await this.#open(client);
        if (open.length === 0) return;
        const due = open.filter(({ retryAt }) => retryAt.getTime() <= Date.now());
        const at = Math.min(...due.map(({ step }) => erasureSteps.indexOf(step)));
        const mine = await lockAll(
          client,
          due.filter(({ step }) => step === erasureSteps[at]),
        );
        try {
          if (mine.length > 0) await this.#step(client, mine);
          else await sleep(lookMs, undefined, { signal });
        } finally {
          await unlockAll(client, mine);
        }
      }
    });
  }

  /** Somebody has looked: what needed a person is tried again. */
  async #reopen(client: ClientBase): Promise<void> {
    const { only } = this.#parts;
    if (!only) return;
    await client.query(
      `update lethe_erasure.requests set state = 'open', attempts = 0, retry_at = clock_timestamp()
        where id = any($1) and state = 'needs-person'`,
      [[...only]],
    );
  }

  async #open(client: ClientBase): Promise<ErasureRequest[]> {
    return workable(client, this.#parts.only);
  }

  async #step(client: ClientBase, requests: readonly ErasureRequest[]): Promise<void> {
    // Where it stands may have changed before the lock was there.
    const asked = new Set(requests.map(({ id }) => id));
    const now = await workable(client, asked);
    const fresh = new Map(now.map((request) => [request.id, request]));
    const step = requests[0]!.step;
    const still = requests
      .flatMap(({ id }) => fresh.get(id) ?? [])
      .filter((request) => request.step === step);
    if (still.length === 0) return;
    const { onStep } = this.#parts;
    const ids = still.map(({ id }) => id);
    onStep?.(step, ids, 'begun');
    try {
      await this.attempt(client, still);
      onStep?.(step, ids, 'done');
    } catch (error) {
      if (this.#parts.signal.aborted) throw error;
      // One that cannot be served must not hold up the others.
      if (still.length > 1) for (const one of still) await this.#step(client, [one]);
      else await this.#failed(client, still[0]!, error);
    }
  }

  /** One attempt at the step that all of them stand at. */
  async attempt(client: ClientBase, requests: readonly ErasureRequest[]): Promise<void> {
    const { keys, work, signal } = this.#parts;
    const { step } = requests[0]!;
    const startedAt = new Date().toISOString();
    const erasures: OpenErasure[] = [];
    // All keys in one look; each of them is at hand then.
    await keys.dataKeys(
      { type: requestSubjectType },
      requests.map(({ id }) => id),
    );
    for (const request of requests) {
      erasures.push({ request, inventory: await openInventory(keys, request.id, request.sealed!) });
    }
    const results = await work[step](erasures, signal);
    const noteAll = async () => {
      for (const [i, { request }] of erasures.entries()) {
        const { evidence, inventory } = results[i]!;
        const endedAt = new Date().toISOString();
        const done = { step, startedAt, endedAt, attempts: request.attempts + 1, evidence };
        await this.note(client, request, done, inventory);
      }
    };
    // One commit for many: each waits for the disk.
    await (erasures.length > 1 ? inTransaction(client, noteAll) : noteAll());
  }

  /** The step is done and the request stands at the next one. */
  async note(
    client: ClientBase,
    request: ErasureRequest,
    done: DoneStep,
    inventory: Inventory | null,
  ): Promise<void> {
    const sealed = inventory && (await sealInventory(this.#parts.keys, request.id, inventory));
    await noteStep(client, request.id, done, sealed);
  }

  async #failed(client: ClientBase, request: ErasureRequest, error: unknown): Promise<void> {
    const attempts = request.attempts + 1;
    const again = mayPass(error) && attempts < mostAttempts;
    const problem = safeReason(error);
    await noteFailure(
      client,
      request,
      problem,
      again ? { inMs: backoffMs(attempts, Math.random()) } : 'never',
    );
    this.#parts.onStep?.(request.step, [request.id], 'failed', problem);
  }
}

/** What no code stands for, as a server that breaks off in the middle, may pass as well. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof LetheError) || isRetriable(error.code) || error.code === 'ERASURE_INCOMPLETE';
}

/** Open requests that wait for nobody's approval: those that may be worked on. */
export async function workable(client: ClientBase, only?: ReadonlySet<string>): Promise<ErasureRequest[]> {
  const open = await listRequests(client, ['open'], only);
  return open.filter((request) => approvalsMissing(request) === 0);
}

/** Those that no other runner works on. */
async function lockAll(client: ClientBase, requests: readonly ErasureRequest[]): Promise<ErasureRequest[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id from unnest($1::text[]) as id where pg_try_advisory_lock(hashtextextended('lethe_erasure/' || id, 0))`,
    [requests.map(({ id }) => id)],
  );
  const mine = new Set(rows.map(({ id }) => id));
  return requests.filter(({ id }) => mine.has(id));
}

async function unlockAll(client: ClientBase, requests: readonly ErasureRequest[]): Promise<void> {
  if (requests.length > 0) await client.query('select pg_advisory_unlock_all()').catch(() => {});
}
