import { createHmac, timingSafeEqual } from 'node:crypto';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';

/** Whose erasure a request asks for. */
export interface CommittedSubject {
  readonly request: string;
  readonly type: string;
  readonly id: string;
}

/**
 * What binds a certificate to a person without naming one: HMAC-SHA-256 under a key of the key store, in hex. Whoever has the key store can
 * show that a certificate is of this person; nobody else can try ids, nor tell that two requests are of the same one.
 */
export function commitmentTo({ request, type, id }: CommittedSubject, key: Buffer): string {
  return createHmac('sha256', key)
    .update(lengthPrefixed('lethe/commitment/v1', request, type, id))
    .digest('hex');
}

/** Is it of this person? In constant time. */
export function opensCommitment(commitment: string, subject: CommittedSubject, key: Buffer): boolean {
  const own = Buffer.from(commitmentTo(subject, key), 'hex');
  const given = Buffer.from(commitment, 'hex');
  return given.length === own.length && timingSafeEqual(given, own);
}
