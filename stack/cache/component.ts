import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { formatBytes, type Reporter } from '../reporter.ts';
import { StackError } from '../stack-error.ts';
import type { Platform } from '../platform.ts';
import { takeLock } from './file-lock.ts';

/** What an install may use; everything below `work` is deleted afterwards, however the install ends. */
export interface InstallContext {
  /** An empty folder that becomes the component's folder when the install succeeds. */
  readonly target: string;
  readonly work: string;
  readonly platform: Platform;
  readonly javaBin: (tool: 'java' | 'javac' | 'jar') => string;
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/** Something that is downloaded once and used by every stack on this machine. */
export interface Component {
  /** Folder name below the cache: it holds everything that makes two installs differ. */
  readonly folder: string;
  /** The cache it belongs to; Postgres as root may need another one than the rest. */
  readonly cache: string;
  readonly title: string;
  /** The package client it needs; those of one client run one after the other. */
  readonly client: 'npm' | 'mvn';
  readonly downloadBytes: number;
  /** What stays of it on the disk. */
  readonly keptBytes: number;
  /** One line that is said when it is installed, about its licence or what is checked of it. */
  readonly notice?: string;
  readonly install: (context: InstallContext) => Promise<void>;
}

/** Where an installed component lies. */
export function componentPath(component: Component): string {
  return join(component.cache, component.folder);
}

/** Whether it is there. An install appears by one rename, so a folder that exists is complete. */
export function isInstalled(component: Component): boolean {
  return existsSync(componentPath(component));
}

const LOCK_LIMIT_MS = 60 * 60 * 1000;

/** Downloads, checks and installs what is missing. Several processes may do so at once. */
export async function installMissing(
  components: readonly Component[],
  context: Omit<InstallContext, 'target' | 'work'>,
): Promise<void> {
  const missing = components.filter((component) => !isInstalled(component));
  for (const cache of new Set(missing.map((component) => component.cache))) {
    await installInto(
      cache,
      missing.filter((component) => component.cache === cache),
      context,
    );
  }
}

async function installInto(
  cache: string,
  wanted: readonly Component[],
  context: Omit<InstallContext, 'target' | 'work'>,
): Promise<void> {
  const { report, signal } = context;
  await mkdir(cache, { recursive: true });
  const lock = await takeLock(
    join(cache, 'install.lock'),
    LOCK_LIMIT_MS,
    (pid) => report.say(`process ${pid} is downloading the same; waiting for it`),
    signal,
  );
  if (lock === undefined) {
    throw new StackError(
      'FOLDER_BUSY',
      `the cache ${cache} has been locked for an hour`,
      'end the other `lethe stack up`',
    );
  }
  const work = join(cache, 'work', randomUUID());
  try {
    // Nobody else works here while we hold the lock: what lies here was left by a process that was killed.
    await rm(join(cache, 'work'), { recursive: true, force: true });
    await mkdir(work, { recursive: true });
    const queues = (['npm', 'mvn'] as const).map((client) =>
      wanted.filter((component) => component.client === client && !isInstalled(component)),
    );
    const failures = (
      await Promise.allSettled(
        queues.map(async (queue) => {
          for (const component of queue) await installOne(component, { ...context, work });
        }),
      )
    ).flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length > 0) throw failures[0];
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 5 });
    lock.release();
  }
}

async function installOne(component: Component, context: Omit<InstallContext, 'target'>): Promise<void> {
  const { report } = context;
  const target = join(context.work, component.folder);
  await mkdir(target, { recursive: true });
  report.say(`installing ${component.title} (download ${formatBytes(component.downloadBytes)})`);
  if (component.notice !== undefined) report.say(component.notice);
  const startedAt = performance.now();
  await component.install({ ...context, target });
  await rename(target, componentPath(component)).catch((error: unknown) => {
    if (!isInstalled(component)) throw error; // another host on a shared cache was faster
  });
  report.say(`installed ${component.title} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}
