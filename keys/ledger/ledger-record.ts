import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { LetheError } from '../../schemas/errors.ts';
import { lengthPrefixed } from '../../schemas/length-prefixed.ts';

/** How it stands with a person: suppressed; the key destroyed; no more suppressed; or let in again under another key. */
export const ledgerStates = ['suppressed', 'destroyed', 'lifted', 'readmitted'] as const;
export type LedgerState = (typeof ledgerStates)[number];

const shape = z.strictObject({
  /** Id of the key store. */
  store: z.string(),
  /** How many recoveries came before: after one the audit counts from an older entry on. */
  timeline: z.int(),
  /** The last entry of the audit when it was noted. */
  seq: z.string().regex(/^\d+$/),
  type: z.string(),
  /** The keyed digest that the key store finds the person by, in hex. */
  digest: z.string().regex(/^[0-9a-f]+$/),
  state: z.enum(ledgerStates),
  /** What it is done for, and by which id: empty for who was let in again. */
  by: z.enum(['request', 'restriction']),
  request: z.string(),
  /** Of who was let in again: a digest of the new key's id, see {@link keyDigest}; else empty. */
  key: z.string(),
});

/** What an erasure, a restriction or a return made of a person, as it is noted outside of the key store. Nothing of it is a person's id. */
export type LedgerRecord = z.infer<typeof shape>;

const sealedShape = shape.extend({ mac: z.string() });

/** What the record is called in the ledger: of a person's request, restriction or return the newest counts. */
export function ledgerName({
  type,
  digest,
  request,
}: Pick<LedgerRecord, 'type' | 'digest' | 'request'>): string {
  return `${type}/${digest}/${request}`;
}

/** A record as text, with a MAC under a key of the key store: who may write to the ledger cannot make one. */
export function sealRecord(record: LedgerRecord, key: Buffer): string {
  return JSON.stringify({ ...record, mac: macOf(record, key).toString('hex') });
}

/** The record that is noted under this name; KEY_STORE_INVALID for one that this key store has not noted there. `place`: where, for people. */
export function openRecord(
  note: { readonly key: string; readonly value: Buffer | null },
  own: { readonly store: string; readonly key: Buffer },
  place: string,
): LedgerRecord {
  const parsed = sealedShape.safeParse(note.value === null ? undefined : parseJson(note.value.toString()));
  if (!parsed.success) throw tampered(place, 'is none');
  const { mac, ...record } = parsed.data;
  const given = Buffer.from(mac, 'hex');
  const right = macOf(record, own.key);
  if (given.length !== right.length || !timingSafeEqual(given, right)) {
    throw tampered(place, 'was not noted with the key store’s own key');
  }
  if (record.store !== own.store || ledgerName(record) !== note.key) {
    throw tampered(place, 'stands in the place of another one');
  }
  return record;
}

/**
 * The newest record of each name, in the order of what they tell: by the place in the audit, and only then by that in the topic. Who may write there
 * could write an older one once more.
 */
export function newestRecords(records: readonly LedgerRecord[]): readonly LedgerRecord[] {
  const inOrder = records.toSorted(
    (a, b) => a.timeline - b.timeline || compare(BigInt(a.seq), BigInt(b.seq)),
  );
  const newest = new Map<string, LedgerRecord>();
  for (const record of inOrder) {
    newest.delete(ledgerName(record));
    newest.set(ledgerName(record), record);
  }
  return [...newest.values()];
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** What stands for a key's id: the id itself would be found by the scan of a later erasure. */
export function keyDigest(keyId: string, key: Buffer): string {
  return createHmac('sha256', key).update(lengthPrefixed('lethe/ledger-key/v1', keyId)).digest('hex');
}

function macOf(record: LedgerRecord, key: Buffer): Buffer {
  const { store, timeline, seq, type, digest, state, by, request, key: newKey } = record;
  const parts = [store, String(timeline), seq, type, digest, state, by, request, newKey];
  return createHmac('sha256', key)
    .update(lengthPrefixed('lethe/ledger/v1', ...parts))
    .digest();
}

function tampered(place: string, why: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', `a record of the ledger ${why}: ${place}`, {
    fix: 'Find out who wrote there. `--without-invalid` goes on without such records: docs/playbooks/key-store-invalid.md.',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
