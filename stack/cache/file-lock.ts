import { hostname } from 'node:os';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { identifyProcess, isRunning, type ProcessIdentity } from '../process/process-identity.ts';
import { waitUntil } from '../wait-until.ts';

interface Holder extends ProcessIdentity {
  readonly host: string;
}

const HEARTBEAT_MS = 5_000;
const FOREIGN_STALE_MS = 60_000;

/** A lock that is held until {@link FileLock.release}. */
export interface FileLock {
  release(): void;
}

/**
 * Takes a lock file, waiting for its holder. A lock whose process has ended is broken; one of another host
 * (a shared home folder) is broken when its heartbeat has stopped. Undefined after `limitMs`.
 */
export async function takeLock(
  path: string,
  limitMs: number,
  onWait: (pid: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<FileLock | undefined> {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  return waitUntil(
    () => {
      if (tryTake(path)) return held(path);
      const holder = readHolder(path);
      if (holder !== undefined && isStale(path, holder)) breakLock(path, holder);
      else if (!told && holder !== undefined) {
        told = true;
        onWait(holder.pid);
      }
      return undefined;
    },
    limitMs,
    200,
    signal,
  );
}

/** Links a complete file into place: whoever reads the lock never meets half of its content. */
function tryTake(path: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  const self = identifyProcess(process.pid);
  writeFileSync(draft, JSON.stringify({ ...self, host: hostname() }));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function held(path: string): FileLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // Broken by someone who took us for dead; our work is still valid, see breakLock.
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    release: () => {
      clearInterval(heartbeat);
      rmSync(path, { force: true });
    },
  };
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined; // released meanwhile
  }
}

function isStale(path: string, holder: Holder): boolean {
  if (holder.host === hostname()) return !isRunning(holder);
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return touched !== undefined && Date.now() - touched > FOREIGN_STALE_MS;
}

/**
 * Moves the lock aside before it is deleted, and puts it back if it was not the stale one: of two processes
 * that break one lock, the second must not take away what the first has just taken.
 */
function breakLock(path: string, stale: Holder): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another one was faster
  }
  const moved = readHolder(aside);
  if (moved !== undefined && (moved.pid !== stale.pid || moved.startedAt !== stale.startedAt)) {
    try {
      linkSync(aside, path);
    } catch {
      // A third one holds it now; the moved one's work stays valid, since installs end in an atomic rename.
    }
  }
  rmSync(aside, { force: true });
}
