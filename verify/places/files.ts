import { createReadStream } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Canary } from '../canary.ts';
import type { Search } from '../scan.ts';
import { reasonOf } from '../verify-error.ts';

export interface FoundFile {
  readonly path: string;
  /** Tells a file from another that took over its name. */
  readonly inode: number;
}

const readBytes = 1 << 20;
const pageBytes = 4096;
const smallBytes = 65_536;
const zeros = Buffer.alloc(pageBytes);

/** Every regular file below the path, in no order; what vanishes meanwhile is left out. Links are not followed. */
export async function* filesBelow(path: string): AsyncGenerator<FoundFile> {
  const stat = await lstat(path).catch(goneIsUndefined);
  if (!stat) return;
  if (stat.isFile()) yield { path, inode: stat.ino };
  if (!stat.isDirectory()) return;
  for (const name of (await readdir(path).catch(goneIsUndefined)) ?? []) yield* filesBelow(join(path, name));
}

/**
 * Calls `read` for every file below the paths. Servers rename and remove files as they go: the folders are listed
 * again until they show no file that was not read, so that a renamed one is not missed.
 */
export async function readEveryFile(
  search: Search,
  paths: readonly string[],
  read: (file: FoundFile) => Promise<void>,
): Promise<void> {
  const seen = new Set<number>();
  for (const path of paths) {
    const { done } = await filesBelow(path).next();
    if (done) search.problem(`${path} holds no file that can be read from here`);
  }
  for (let fresh = 1, round = 0; fresh > 0 && round < 10; round++) {
    fresh = 0;
    for (const path of paths) {
      for await (const file of filesBelow(path)) {
        if (seen.has(file.inode)) continue;
        try {
          await read(file);
          seen.add(file.inode);
          fresh++;
          search.files();
        } catch (error) {
          if (!isGone(error)) search.problem(`${file.path} cannot be read (${reasonOf(error)})`);
          if (!isGone(error)) seen.add(file.inode);
        }
      }
    }
  }
}

/** Brokers make these ten megabytes long and fill a few bytes, for each partition of each topic. */
const preallocated = /\.(index|timeindex)$/;

/**
 * A file's bytes in pieces. A preallocated index ends with the last of its blocks that was ever written: the zeros
 * behind them are nowhere on the disk. Of no other file is this taken for granted: where a filesystem compresses, a file
 * takes up fewer blocks than it fills.
 */
export async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  const file = await open(path);
  try {
    const { size, blocks } = await file.stat();
    // Small files may lie in the inode, with no block at all.
    const sparse = preallocated.test(path) && size > smallBytes && blocks * 512 < size;
    let pages = sparse ? Math.ceil((blocks * 512) / pageBytes) : 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(readBytes), 0, readBytes);
      if (bytesRead === 0) return;
      const chunk = buffer.subarray(0, bytesRead);
      yield chunk;
      if (!sparse) continue;
      pages -= writtenPages(chunk);
      if (pages <= 0) return;
    }
  } finally {
    await file.close();
  }
}

/** Pages with a byte in them: these do take up blocks. (A page of zeros may do so too, and is then read for nothing.) */
function writtenPages(chunk: Buffer): number {
  let pages = 0;
  for (let at = 0; at < chunk.length; at += pageBytes) {
    const end = Math.min(at + pageBytes, chunk.length);
    if (chunk.compare(zeros, 0, end - at, at, end) !== 0) pages++;
  }
  return pages;
}

/** Searches a file as bytes; one that is packed with gzip also as what is in it. */
export async function searchFile(
  search: Search,
  path: string,
  matters?: (canary: Canary) => boolean,
): Promise<void> {
  const plain = search.stream(path, matters);
  for await (const chunk of fileChunks(path)) plain.write(chunk);
  if (!path.endsWith('.gz')) return;
  const unpacked = search.stream(`${path} (unpacked)`, matters);
  for await (const chunk of createReadStream(path).pipe(createGunzip())) unpacked.write(chunk as Buffer);
}

export function isGone(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

function goneIsUndefined(error: unknown): undefined {
  if (!isGone(error)) throw error;
}
