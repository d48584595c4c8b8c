import { createHash } from 'node:crypto';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import { lengthPrefixed } from '../../schemas/length-prefixed.ts';

/** What is written down of the key store, and nothing else. */
export const auditActions = [
  'store-made',
  'store-recovered',
  'signing-key-made',
  'epoch-opened',
  'epoch-ended',
  'key-rotated',
  'key-destroyed',
  'payload-asked',
  'erasure-requested',
  'erasure-approved',
  'subject-suppressed',
  'suppression-lifted',
  'erasure-cancelled',
  'erasure-extended',
  'retention-ended',
  'erasure-refused',
  'erasure-certified',
  'notice-sent',
  'notice-acknowledged',
  'hold-placed',
  'hold-released',
  'subject-readmitted',
  'subjects-linked',
  'subjects-unlinked',
  'subject-restricted',
  'restriction-lifted',
  'subject-exported',
  'principal-added',
  'principal-disabled',
  'token-made',
  'token-revoked',
  'grant-made',
  'grant-revoked',
  'access-refused',
  'glass-asked',
  'glass-approved',
  'glass-used',
  'glass-closed',
  'keys-leased',
] as const;
export type AuditAction = (typeof auditActions)[number];

/** Names, ids and numbers: never a person's id nor a value, which would outlive the erasure. */
export type AuditDetails = Readonly<Record<string, string | number>>;

/** An entry as it stands in the chain. */
export interface AuditEntry {
  /** From 1 on, without a gap. */
  readonly seq: bigint;
  /** By the key store's clock, ISO 8601 in UTC with microseconds. */
  readonly at: string;
  /** Who did it. */
  readonly principal: string;
  readonly action: AuditAction;
  readonly details: AuditDetails;
}

/** What the first entry follows. */
export const chainStart: Buffer = Buffer.alloc(32);

/** SHA-256 over the entry and the hash of the one before: none can be changed, left out or put in between without all after it. */
export function chainHash(before: Buffer, { seq, at, principal, action, details }: AuditEntry): Buffer {
  const entry = lengthPrefixed(
    'lethe/audit/v1',
    before,
    String(seq),
    at,
    principal,
    action,
    canonicalJson(details),
  );
  return createHash('sha256').update(entry).digest();
}
