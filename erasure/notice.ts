import { createHmac } from 'node:crypto';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import type { SubjectRecord } from './subject-index.ts';

export const noticeFormat = 'lethe/erasure-notice/v1';

/** Keys in one notice; more are told in parts, each of which Kafka takes. */
export const mostKeysInNotice = 50_000;

/** What a recipient is told. No id and no key of a record stands in it: whoever has the keys finds those that are meant. */
export interface ErasureNotice {
  readonly format: typeof noticeFormat;
  readonly pipeline: string;
  readonly request: string;
  readonly recipient: string;
  readonly subjectType: string;
  /** From 1 on. */
  readonly part: number;
  readonly parts: number;
  /** Hex, 32 bytes. */
  readonly salt: string;
  /** By table, HMAC-SHA-256 under the salt over `schema.table`, a newline and the record's key, in hex and in order. */
  readonly tables: readonly { readonly table: string; readonly keys: readonly string[] }[];
}

export interface NoticeParts {
  readonly pipeline: string;
  readonly request: string;
  readonly recipient: string;
  readonly subjectType: string;
  /** Of the person, in the recipient's tables. */
  readonly records: readonly SubjectRecord[];
  /** Of the key store, for nothing else. */
  readonly saltKey: Buffer;
  readonly mostKeys?: number;
}

/**
 * The notices of one erasure to one recipient: the same bytes whenever they are made, so that a step that is done again says nothing new. Each
 * request and recipient has a salt of its own: two notices do not show that they are about the same person.
 */
export function erasureNotices(told: NoticeParts): ErasureNotice[] {
  const { pipeline, request, recipient, subjectType, records, saltKey, mostKeys = mostKeysInNotice } = told;
  const salt = createHmac('sha256', saltKey)
    .update(lengthPrefixed('lethe/notice-salt/v1', request, recipient))
    .digest();
  const digests = records
    .map(({ table, key }) => ({ table, digest: noticeDigest(salt, table, key) }))
    .toSorted((a, b) => compare(a.table, b.table) || compare(a.digest, b.digest));
  const parts = Math.ceil(digests.length / mostKeys);
  return Array.from({ length: parts }, (_, i) => {
    const tables = new Map<string, string[]>();
    for (const { table, digest } of digests.slice(i * mostKeys, (i + 1) * mostKeys)) {
      const keys = tables.get(table) ?? [];
      tables.set(table, keys);
      keys.push(digest);
    }
    return {
      format: noticeFormat,
      pipeline,
      request,
      recipient,
      subjectType,
      part: i + 1,
      parts,
      salt: salt.toString('hex'),
      tables: [...tables].map(([table, keys]) => ({ table, keys })),
    };
  });
}

/** Key of a notice's record in Kafka: neither the name of a request nor that of a recipient has a slash. */
export function noticeKey(request: string, recipient: string, part: number): string {
  return `${request}/${recipient}/${part}`;
}

function noticeDigest(salt: Buffer, table: string, key: string): string {
  return createHmac('sha256', salt).update(`${table}\n${key}`).digest('hex');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
