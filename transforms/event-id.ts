import { createHash } from 'node:crypto';
import type { VersionWords } from '../schemas/version-words.ts';
import { MurmurHash } from './murmur-hash.ts';

/**
 * Ids of change events, 128 bits, the same whenever the same change is processed again: a hash of table, version and clean key. Not
 * a cryptographic one, which would cost as much as all else that is done for an event: an id hides nothing
 * (the key stands beside it), and versions differ already wherever somebody could choose the keys.
 */
export class EventIds {
  private readonly hash = new MurmurHash();
  private readonly seed: Uint32Array;

  constructor(table: string) {
    const digest = createHash('sha256').update(`lethe/event-id\n${table}`).digest();
    this.seed = Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32BE(4 * i));
  }

  /** Four words, valid until the next call. */
  of(version: VersionWords, key: string): Uint32Array {
    const { hash, seed } = this;
    hash.begin(seed[0]!, seed[1]!, seed[2]!, seed[3]!);
    hash.block(version[0]!, version[1]!, version[2]!, version[3]!);
    hash.block(version[4]!, version[5]!, key.length, 0);
    for (let i = 0; i < key.length; i += 8) {
      hash.block(pair(key, i), pair(key, i + 2), pair(key, i + 4), pair(key, i + 6));
    }
    return hash.end(24 + 2 * key.length);
  }
}

/**
 * W3C trace ids (https://www.w3.org/TR/trace-context/#trace-id), one for all changes of a source transaction: 128 bits from
 * its number and the commit before it. Reads of one snapshot share theirs.
 */
export class TraceIds {
  private readonly hash = new MurmurHash();

  /** Four words, valid until the next call; the id for a change with this version, in the transaction with this number. */
  of(version: VersionWords, txId: Uint32Array | undefined): Uint32Array {
    const { hash } = this;
    hash.begin(0x6c65_7468, 0x652f_7472, 0x6163_652f, 0x7631_0000);
    hash.block(version[0]!, version[1]!, version[2]!, 0);
    hash.block(txId ? 1 : 0, txId ? txId[0]! : 0, txId ? txId[1]! : 0, 0);
    return hash.end(24);
  }
}

/** Two UTF-16 units in a word; beyond the end zeros, which the length tells apart. */
function pair(text: string, at: number): number {
  const n = text.length;
  return at >= n ? 0 : text.charCodeAt(at) | (at + 1 < n ? text.charCodeAt(at + 1) << 16 : 0);
}
