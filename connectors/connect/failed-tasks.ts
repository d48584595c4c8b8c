import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../pipeline/log.ts';
import type { Outages } from '../../pipeline/outage.ts';
import type { ConnectClient } from './connect-client.ts';
import { failedReason } from './failure-reason.ts';

const lookMs = 5_000;
const longestMs = 600_000;
/** After so long without a failure the next one is a first one again. */
const soundMs = 900_000;
/** From this one on it is no passing trouble. */
const alarmingAttempt = 4;

/** Wait after restart number `n` (from 1) before the next: 10 seconds, doubled each time, ten minutes at most. */
export function restartWaitMs(n: number): number {
  return Math.min(longestMs, lookMs * 2 ** Math.min(n, 20));
}

export interface FailedTasksParts {
  readonly connect: Pick<ConnectClient, 'status' | 'restartFailed'>;
  /** Name of the connector. */
  readonly name: string;
  readonly log: Log;
  readonly outages: Outages;
  readonly now?: () => number;
}

/**
 * Starts a connector's tasks again that have failed. Kafka Connect leaves a task that died of a passing trouble, as a broker that was away
 * while it was to start, dead for ever; the pipeline would stand still while every server is well. A slot that was lost is not
 * made anew by this: the task fails again, and its next restart waits longer.
 */
export class FailedTasks {
  private readonly parts: FailedTasksParts;
  private readonly now: () => number;
  private readonly stopped = new AbortController();
  private attempts = 0;
  private notBefore = 0;
  private lastFailure = Number.NEGATIVE_INFINITY;

  constructor(parts: FailedTasksParts) {
    this.parts = parts;
    this.now = parts.now ?? (() => performance.now());
  }

  start(): void {
    void this.run();
  }

  /** Waits for no look that is under way: a Kafka Connect that answers nobody must not hold up who stops. */
  stop(): void {
    this.stopped.abort();
  }

  /** Looks once; Connect being away is noted and waited for. */
  async look(): Promise<void> {
    const { connect, name, outages } = this.parts;
    try {
      const reason = failedReason(await connect.status(name));
      if (reason !== undefined) await this.failed(reason);
      outages.succeeded('connect');
    } catch (error) {
      outages.failed('connect', error);
    }
  }

  private async failed(reason: string): Promise<void> {
    const { connect, name, log } = this.parts;
    const now = this.now();
    if (now - this.lastFailure > soundMs) this.attempts = 0;
    this.lastFailure = now;
    if (now < this.notBefore) return;
    this.attempts++;
    this.notBefore = now + restartWaitMs(this.attempts);
    const what = { connector: name, reason, attempt: this.attempts };
    if (this.attempts < alarmingAttempt) log.warn(what, 'a task of the connector failed; it is restarted');
    else {
      const fix = 'lethe check; the log of Kafka Connect';
      log.error({ ...what, fix }, 'ALARM: the connector fails again and again; it is restarted');
    }
    await connect.restartFailed(name);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      await this.look();
      await sleep(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
