import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { waitUntil } from '../wait-until.ts';
import { identifyProcess, isReaped, isRunning, type ProcessIdentity } from './process-identity.ts';
import { type PidRecord, removePidFile, writePidFile } from './pid-file.ts';
import { descendants } from './process-tree.ts';

/** How to start one server. */
export interface DaemonCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Owner of the process where it is not the caller's (Postgres refuses root). */
  readonly user?: { readonly uid: number; readonly gid: number };
}

const LOG_ROTATE_BYTES = 16 * 1024 * 1024;

/** Starts a process in a session of its own, with its log in a file, and records it before returning. */
export async function startDaemon(
  command: DaemonCommand,
  logFile: string,
  pidFile: string,
): Promise<PidRecord> {
  rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(command.command, command.args, {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      detached: true,
      stdio: ['ignore', log, log],
      ...(command.user === undefined ? {} : command.user),
    });
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    if (identity === undefined) {
      await once(child, 'spawn'); // rejects with the reason
      throw new Error(`${command.command} ended at once`);
    }
    const record = { ...identity, sinceMs: Date.now() };
    writePidFile(pidFile, identity, record.sinceMs);
    child.unref();
    return record;
  } finally {
    closeSync(log);
  }
}

/** Asks a process to end, and after `limitMs` ends it with all it started. Answers whether it went willingly. */
export async function stopDaemon(
  identity: ProcessIdentity,
  pidFile: string,
  stopSignal: NodeJS.Signals,
  limitMs: number,
): Promise<boolean> {
  const family = [identity, ...descendants(identity.pid)];
  signalAll([identity], stopSignal);
  signalAll(family, 'SIGCONT'); // a paused process would not hear it
  const ended = await waitUntil(() => gone(family), limitMs);
  if (ended === undefined) await killDaemon(identity, pidFile);
  await waitUntil(() => reaped(family), REAP_LIMIT_MS, 10);
  removePidFile(pidFile);
  return ended !== undefined;
}

/** Ends a process and its descendants with SIGKILL, as a crash would, and waits until the kernel took them. */
export async function killDaemon(identity: ProcessIdentity, pidFile: string): Promise<void> {
  const family = [identity, ...descendants(identity.pid)];
  signalAll(family, 'SIGKILL');
  await waitUntil(() => gone(family), 10_000, 10);
  await waitUntil(() => reaped(family), REAP_LIMIT_MS, 10);
  removePidFile(pidFile);
}

/** Sends a signal to a process and its descendants; each is checked to be itself and no successor. */
export function signalFamily(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  signalAll([identity, ...descendants(identity.pid)], signal);
}

/** Not every container has a first process that does its duty, so this is waited for, but not for ever. */
const REAP_LIMIT_MS = 3_000;

function reaped(family: readonly ProcessIdentity[]): true | undefined {
  return family.every(isReaped) ? true : undefined;
}

function gone(family: readonly ProcessIdentity[]): true | undefined {
  return family.some(isRunning) ? undefined : true;
}

function signalAll(family: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const member of family) {
    if (!isRunning(member)) continue;
    try {
      process.kill(member.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_ROTATE_BYTES) renameSync(logFile, `${logFile}.1`);
}
