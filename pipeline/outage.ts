import { safeReason } from '../schemas/errors.ts';
import type { Log } from './log.ts';

/** Says once that a server is away and once that it is back, however often it is tried in between. */
export class Outages {
  private readonly since = new Map<string, number>();
  private readonly log: Log;
  private readonly now: () => number;

  constructor(log: Log, now: () => number = Date.now) {
    this.log = log;
    this.now = now;
  }

  failed(server: string, error: unknown): void {
    if (this.since.has(server)) return;
    this.since.set(server, this.now());
    this.log.warn({ server, reason: safeReason(error) }, 'a server fails; trying again until it answers');
  }

  succeeded(server: string): void {
    const since = this.since.get(server);
    if (since === undefined) return;
    this.since.delete(server);
    this.log.info({ server, awayMs: this.now() - since }, 'the server answers again');
  }
}
