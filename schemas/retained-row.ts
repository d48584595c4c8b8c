import { createHmac } from 'node:crypto';
import type { Dataset, DatasetColumn } from './dataset.ts';

/**
 * Rows that the law has to be kept stand in the clean topic under an id drawn by lot, and so in every store. What made them is told by their
 * contract header: this, and the digest of the contract that they were made under.
 */
const mark = 'retained-';

/** The contract header of a row that is kept by law, made under the contract with this digest. */
export function retainedContract(digest: string): string {
  return mark + digest;
}

/** Is the record of a row that is kept by law? */
export function isRetained(contract: string): boolean {
  return contract.startsWith(mark);
}

/** The digest of the contract that a record was made under, whatever kind of row it is. */
export function madeUnder(contract: string): string {
  return isRetained(contract) ? contract.slice(mark.length) : contract;
}

/** What such a record's contract begins with, for queries of stores. */
export const retainedMark = mark;

/** Kinds of key columns that an id drawn by lot can stand in. */
export const drawableKinds: ReadonlySet<DatasetColumn['clean']> = new Set([
  'int',
  'long',
  'uuid',
  'text',
  'pseudonym',
]);

/**
 * The parts of a row's new key, of the types that its key columns have: drawn by HMAC-SHA-256 from a secret of the request's own, so that who
 * does it again draws the same, and nobody any more once the secret is gone. Numbers are negative, where no sequence leads.
 * `attempt`: another draw, where somebody else has that key.
 */
export function drawnKey(
  { table, key }: Pick<Dataset, 'table' | 'key'>,
  secret: Buffer,
  recordKey: string,
  attempt: number,
): string[] {
  return key.map((column, place) => {
    const drawn = createHmac('sha256', secret)
      .update(JSON.stringify(['lethe/retained/v1', table, recordKey, attempt, place]))
      .digest();
    return asKeyPart(column, drawn);
  });
}

function asKeyPart({ name, clean }: DatasetColumn, drawn: Buffer): string {
  switch (clean) {
    case 'int':
      return String(drawn.readInt32BE() | -0x80000000);
    case 'long':
      return String(drawn.readBigInt64BE() | -(1n << 63n));
    case 'uuid': {
      // RFC 9562, version 8: bits of one's own.
      drawn[6] = (drawn[6]! & 0x0f) | 0x80;
      drawn[8] = (drawn[8]! & 0x3f) | 0x80;
      const hex = drawn.toString('hex', 0, 16);
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
    case 'text':
    case 'pseudonym':
      return drawn.toString('base64url', 0, 16);
    default:
      throw new Error(`unchecked key column ${name}`);
  }
}
