import { parseVersion, type Version } from './version.ts';

/**
 * A version as six words of 32 bits: epoch, commit (high, low), LSN (high, low), sequence. Compared word by word they have
 * the order of {@link Version}, without an object for each number.
 */
export type VersionWords = Uint32Array;
export const versionWords = 6;

/** Negative, zero or positive, by the first `count` words. */
export function compareWords(a: VersionWords, b: VersionWords, count: number): number {
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}

export function wordsOf(v: Version): VersionWords {
  const words = new Uint32Array(versionWords);
  words[0] = Number(v.epoch);
  words.set(halves(v.commit), 1);
  words.set(halves(v.lsn), 3);
  words[5] = Number(v.seq);
  return words;
}

export function versionOf(words: VersionWords): Version {
  return {
    epoch: BigInt(words[0]!),
    commit: whole(words, 1),
    lsn: whole(words, 3),
    seq: BigInt(words[5]!),
  };
}

/** The inverse of formatVersion; undefined for anything else. */
export function parseVersionWords(text: string): VersionWords | undefined {
  const version = parseVersion(text);
  return version && wordsOf(version);
}

/** The words of an unsigned integer of 64 bits, the high one first. */
export function halves(n: bigint): Uint32Array {
  const words = new Uint32Array(2);
  words[0] = Number(BigInt.asUintN(32, n >> 32n));
  words[1] = Number(BigInt.asUintN(32, n));
  return words;
}

/** The unsigned integer of 64 bits whose high word stands at `at`. */
export function whole(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at]!) << 32n) | BigInt(words[at + 1]!);
}
