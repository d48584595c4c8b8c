import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * A process that cannot be mistaken for a later one with the same number: the number, the moment the kernel
 * started it, and the boot in which it did.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
  readonly boot: string;
}

/** The identity of a running process, or undefined when there is none with this number (or only a zombie). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? linuxStart(pid) : portableStart(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, boot: bootId() };
}

/** Whether exactly this process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  const now = identifyProcess(identity.pid);
  return now !== undefined && now.startedAt === identity.startedAt && now.boot === identity.boot;
}

/**
 * Whether nothing of this process is left, not even an entry that waits for its parent. Postgres refuses to start
 * while the number of its last process is still in the table.
 */
export function isReaped(identity: ProcessIdentity): boolean {
  if (process.platform !== 'linux') return !isRunning(identity);
  const stat = readStat(identity.pid);
  return stat === undefined || stat.startedAt !== identity.startedAt;
}

/** Fields after the command's name, which may itself hold spaces and brackets: state is 0, start time 19. */
export function parseProcStat(
  stat: string,
): { state: string; parent: number; startedAt: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, startedAt] = [fields[0], fields[1], fields[19]];
  if (state === undefined || parent === undefined || startedAt === undefined) return undefined;
  return { state, parent: Number(parent), startedAt };
}

function linuxStart(pid: number): string | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.startedAt;
}

function readStat(pid: number): ReturnType<typeof parseProcStat> {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

function portableStart(pid: number): string | undefined {
  const asked = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const answer = asked.stdout.trim();
  const space = answer.indexOf(' ');
  if (asked.status !== 0 || space < 0 || answer.startsWith('Z')) return undefined;
  return answer.slice(space).trim();
}

let boot: string | undefined;

function bootId(): string {
  if (boot === undefined) {
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    } catch {
      // The start time of macOS is a full date, so that a second boot cannot repeat it.
      boot = 'unknown';
    }
  }
  return boot;
}
