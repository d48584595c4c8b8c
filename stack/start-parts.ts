import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { makePartFolder } from './part-folder.ts';
import type { PartName } from './part-name.ts';
import { PARTS } from './parts/all-parts.ts';
import { keepClassArchive } from './parts/class-archive.ts';
import type { Part, PartContext } from './parts/part.ts';
import { startDaemon, stopDaemon } from './process/daemon.ts';
import { readPidFile } from './process/pid-file.ts';
import type { Reporter } from './reporter.ts';
import { StackError } from './stack-error.ts';
import { waitUntil } from './wait-until.ts';

/** Makes what a part needs to know; its work ends when the signal says so. */
export type ContextOf = (part: PartName, signal: AbortSignal) => PartContext;

/**
 * Starts parts side by side, each as soon as the parts it needs are ready, and waits until all are. Parts that
 * run already are only waited for. `onStarted` is called for each process that was started, before it is ready.
 * The first failure ends the waiting for the others; when this rejects, nothing is being started any more.
 */
export async function startParts(
  names: readonly PartName[],
  contextOf: ContextOf,
  report: Reporter,
  onStarted: (part: PartName) => void,
  signal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const begun = new Map<PartName, Promise<void>>();
  const begin = (name: PartName): Promise<void> => {
    const known = begun.get(name);
    if (known !== undefined) return known;
    const start = startOne(name);
    begun.set(name, start);
    return start;
  };
  const startOne = async (name: PartName): Promise<void> => {
    const part = PARTS[name];
    await Promise.all(part.needs.filter((need) => names.includes(need)).map(begin));
    try {
      await startPart(part, contextOf(name, either), report, () => onStarted(name));
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(names.map(begin));
  either.throwIfAborted();
}

async function startPart(
  part: Part,
  context: PartContext,
  report: Reporter,
  onStarted: () => void,
): Promise<void> {
  const { folder, signal } = context;
  const startedAt = performance.now();
  let logStart = 0;
  if (readPidFile(folder.pidFile) === undefined) {
    signal.throwIfAborted();
    if (part.name !== 'postgres') makePartFolder(folder);
    await part.prepare(context);
    signal.throwIfAborted();
    logStart = statSync(folder.logFile, { throwIfNoEntry: false })?.size ?? 0;
    await startDaemon(part.command(context), folder.logFile, folder.pidFile);
    onStarted();
  }
  await waitReady(part, context, logStart);
  report.say(`${part.name} is ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function waitReady(part: Part, context: PartContext, logStart: number): Promise<void> {
  const { folder, signal } = context;
  const ready = await waitUntil(
    async () => {
      if (readPidFile(folder.pidFile) === undefined) {
        throw new StackError(
          'PART_DIED',
          `${part.name} ended while it started; its last lines:${lastLines(folder.logFile, logStart, 5)}`,
          `the whole log: ${folder.logFile}`,
        );
      }
      return (await part.isReady(context).catch(() => false)) ? true : undefined;
    },
    part.readyLimitMs,
    100,
    signal,
  );
  if (ready !== undefined) return;
  throw new StackError(
    'PART_SLOW',
    `${part.name} was not ready after ${part.readyLimitMs / 1000} s`,
    `see ${folder.logFile}; on a very slow machine run \`lethe stack up\` again`,
  );
}

/** Stops parts, those that need others first, and says which. */
export async function stopParts(
  names: readonly PartName[],
  contextOf: (part: PartName) => Pick<PartContext, 'folder'>,
  report: Reporter,
): Promise<PartName[]> {
  const stopped = new Map<PartName, Promise<boolean>>();
  const stop = (name: PartName): Promise<boolean> => {
    const known = stopped.get(name);
    if (known !== undefined) return known;
    const end = stopOne(name);
    stopped.set(name, end);
    return end;
  };
  const stopOne = async (name: PartName): Promise<boolean> => {
    const part = PARTS[name];
    const users = names.filter((other) => PARTS[other].needs.includes(name));
    await Promise.all(users.map(stop));
    const { folder } = contextOf(name);
    const running = readPidFile(folder.pidFile);
    if (running === undefined) return false;
    const willing = await stopDaemon(running, folder.pidFile, part.stopSignal, part.stopLimitMs);
    keepClassArchive(folder, willing);
    report.say(
      willing ? `stopped ${name}` : `killed ${name}, which did not stop within ${part.stopLimitMs / 1000} s`,
    );
    return true;
  };
  const ended = await Promise.all(names.map(async (name) => ((await stop(name)) ? [name] : [])));
  return ended.flat();
}

/** The last lines of a log from an offset on, each on a line of its own, indented. */
export function lastLines(file: string, from: number, count: number): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const start = Math.max(Math.min(from, size), size - 8_192);
  const buffer = Buffer.alloc(size - start);
  if (buffer.length === 0) return ' (none)';
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, buffer, 0, buffer.length, start);
  } finally {
    closeSync(descriptor);
  }
  const lines = buffer.toString('utf8').trimEnd().split('\n').slice(-count);
  return lines.map((line) => `\n    ${line}`).join('');
}
