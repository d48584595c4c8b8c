import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../schemas/duration.ts';

/** Parses an option that is a time: `30s`, `5m`, `24h`, `90d`; in ms, more than none. */
export function parseTimeMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError('Write it as 30s, 5m, 24h or 90d.');
}
