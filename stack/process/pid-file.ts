import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

/** What a pid file says: which process, and when (milliseconds since the epoch) it was started. */
export interface PidRecord extends ProcessIdentity {
  readonly sinceMs: number;
}

/** Writes the file whole or not at all, so that a reader never meets half of it. */
export function writePidFile(path: string, identity: ProcessIdentity, sinceMs: number): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ ...identity, sinceMs })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The process of a pid file, if it still runs; a stale or missing file gives undefined. */
export function readPidFile(path: string): PidRecord | undefined {
  let record: PidRecord;
  try {
    record = JSON.parse(readFileSync(path, 'utf8')) as PidRecord;
  } catch {
    return undefined;
  }
  return typeof record.pid === 'number' && isRunning(record) ? record : undefined;
}

/** Removes the file after its process has ended. */
export function removePidFile(path: string): void {
  rmSync(path, { force: true });
}
