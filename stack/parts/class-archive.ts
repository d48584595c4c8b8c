import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Component } from '../cache/component.ts';
import type { PartFolder } from '../part-folder.ts';
import type { PartContext } from './part.ts';

/** Which classes cannot be archived, one line for each, is of no use in a server's log. */
const QUIET = ['-Xlog:cds=off', '-Xlog:cds+dynamic=off'];

/**
 * Loading and verifying thousands of classes is most of what a JVM does while a server starts. The first clean
 * stop of a server writes the loaded classes to an archive (the JVM's AppCDS), which later starts of every stack
 * map from the cache. The JVM checks the archive against its own build and the jars, and ignores a wrong one.
 */
export function classArchiveOptions(
  { folder, java }: Pick<PartContext, 'folder' | 'java'>,
  component: Component,
): string[] {
  const name = `${basename(folder.root)}-${component.folder}-${javaKey(java)}.jsa`;
  const archive = join(component.cache, 'classes', name);
  rmSync(draftOf(folder), { force: true });
  rmSync(targetOf(folder), { force: true });
  if (existsSync(archive)) return [`-XX:SharedArchiveFile=${archive}`, ...QUIET];
  writeFileSync(targetOf(folder), archive);
  return [`-XX:ArchiveClassesAtExit=${draftOf(folder)}`, ...QUIET];
}

/** Moves what a server has just written at its clean end into the cache; nothing is kept of a killed one. */
export function keepClassArchive(folder: PartFolder, stoppedCleanly: boolean): void {
  const draft = draftOf(folder);
  const target = targetOf(folder);
  if (stoppedCleanly && existsSync(draft) && existsSync(target)) {
    const archive = readFileSync(target, 'utf8');
    const copy = `${archive}.${randomUUID()}`;
    mkdirSync(dirname(archive), { recursive: true });
    copyFileSync(draft, copy); // the cache may lie on another disk
    renameSync(copy, archive);
  }
  rmSync(draft, { force: true });
  rmSync(target, { force: true });
}

/** Forgets what a server would write at its end: one that was not ready yet has loaded half of its classes. */
export function dropClassArchive(folder: PartFolder): void {
  rmSync(targetOf(folder), { force: true });
}

function draftOf(folder: PartFolder): string {
  return join(folder.root, 'classes.jsa');
}

function targetOf(folder: PartFolder): string {
  return join(folder.root, 'classes.target');
}

/** Another JVM, or the same one after an upgrade, has archives of its own. */
function javaKey(java: string): string {
  const path = realpathSync(java);
  return createHash('sha256')
    .update(`${path} ${statSync(path).mtimeMs}`)
    .digest('hex')
    .slice(0, 12);
}
