import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { refused } from './access-error.ts';
import { isRole } from './permissions.ts';
import type { Principal } from './principal.ts';

const secretBytes = 32;
const form = /^lethe_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** A token that was just made: the only time that its text is there. */
export interface NewToken {
  readonly id: string;
  /** `lethe_<id>_<secret>`. */
  readonly text: string;
  /** SHA-256 of the secret: it has 256 random bits, so that no slow hash is needed. */
  readonly hash: Buffer;
}

export interface TokenParts {
  readonly id: string;
  readonly secret: Buffer;
}

/** What is kept of a token, with its principal, by the key store's clock. */
export interface TokenRow {
  readonly id: string;
  readonly hash: Buffer;
  readonly principal: string;
  readonly role: string | null;
  readonly created: Date;
  readonly expires: Date;
  readonly isRevoked: boolean;
  readonly isDisabled: boolean;
  readonly now: Date;
}

export function newToken(): NewToken {
  const id = randomUUID();
  const secret = randomBytes(secretBytes);
  return { id, text: `lethe_${id}_${secret.toString('base64url')}`, hash: hashOf(secret) };
}

/** The parts of a token's text; undefined for what is none. */
export function parseToken(text: string): TokenParts | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const secret = Buffer.from(match[2]!, 'base64url');
  // The last character has two bits to spare: one text for each token.
  return secret.toString('base64url') === match[2] ? { id: match[1]!, secret } : undefined;
}

const nobody = randomBytes(secretBytes);

/** Whose token it is, or ACCESS_REFUSED. In constant time, one that is not there too; what else is wrong hears only who has the secret. */
export function checkToken({ id, secret }: TokenParts, row: TokenRow | undefined): Principal {
  const proved = timingSafeEqual(row?.hash ?? nobody, hashOf(secret));
  if (!row) throw refused('unknown');
  if (!proved) throw refused('wrong-secret', 'unknown', { token: id });
  const own = { token: id };
  if (row.isRevoked) throw refused('revoked', row.principal, own);
  if (row.isDisabled) throw refused('disabled', row.principal, own);
  if (row.expires <= row.now) throw refused('expired', row.principal, own);
  if (!isRole(row.role)) throw refused('role', row.principal, own);
  return { name: row.principal, role: row.role, since: row.created };
}

function hashOf(secret: Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
