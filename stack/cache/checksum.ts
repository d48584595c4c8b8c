import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StackError } from '../stack-error.ts';

/** Digest of a file, read in pieces: the largest one here has 921 MB. */
export async function fileDigest(
  path: string,
  algorithm: 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest(encoding);
}

/** Refuses a file whose digest is not the pinned one. */
export async function checkDigest(
  path: string,
  algorithm: 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
  expected: string,
): Promise<void> {
  const actual = await fileDigest(path, algorithm, encoding);
  if (actual !== expected)
    throw brokenDownload(basename(path), `its ${algorithm} is ${actual}, not ${expected}`);
}

/** The error for a download that is not what was asked for. */
export function brokenDownload(file: string, reason: string): StackError {
  return new StackError(
    'BROKEN_DOWNLOAD',
    `the download of ${file} is broken and was thrown away: ${reason}`,
    'run the command again; if it stays so, the mirror that npm or mvn is set up to use serves another file',
  );
}
