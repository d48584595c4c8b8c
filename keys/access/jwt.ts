import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { AccessConfig } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { type Refusal, refused } from './access-error.ts';
import { isRole, type Role } from './permissions.ts';
import { oidcName, type Principal } from './principal.ts';

/** Signatures by a key that only the identity provider has: no `none`, and no HMAC, whose key we would have to keep as well. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
const clockToleranceS = 5;

/** Codes of what is wrong with a token; anything else is wrong with the key set. */
const faults: Readonly<Record<string, Refusal>> = {
  ERR_JWT_EXPIRED: 'expired',
  ERR_JWT_CLAIM_VALIDATION_FAILED: 'claims',
  ERR_JWT_INVALID: 'malformed',
  ERR_JWS_INVALID: 'malformed',
  ERR_JOSE_ALG_NOT_ALLOWED: 'signature',
  ERR_JOSE_NOT_SUPPORTED: 'signature',
  ERR_JWKS_NO_MATCHING_KEY: 'signature',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'signature',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

type KeySet = ReturnType<typeof createLocalJWKSet> | ReturnType<typeof createRemoteJWKSet>;
/** One for each address in a process: it keeps the keys, and how long ago it asked. */
const remote = new Map<string, KeySet>();

/**
 * Who shows this JWT: signature by the key set, issuer, audience, expiry, a subject, and exactly one of our roles in the role claim.
 * ACCESS_REFUSED else; UNREACHABLE or CONFIG_INVALID where there is no key set to check it by.
 */
export async function verifyJwt(access: AccessConfig, text: string): Promise<Principal> {
  const keys = await keySetOf(access.jwks);
  const { issuer, audience } = access;
  const payload = await verified(text, keys, { issuer, audience });
  const name = `oidc:${payload.sub ?? ''}`;
  if (!oidcName.test(name)) throw refused('claims');
  const role = roleOf(payload, access.roleClaim);
  if (!role) throw refused('role', name);
  return { name, role };
}

async function verified(
  text: string,
  keys: KeySet,
  expected: { readonly issuer: string; readonly audience: string },
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(text, keys, {
      ...expected,
      algorithms: [...algorithms],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: clockToleranceS,
    });
    return payload;
  } catch (cause) {
    const fault = cause instanceof errors.JOSEError ? faults[cause.code] : undefined;
    if (fault !== undefined) throw refused(fault);
    throw new LetheError('UNREACHABLE', 'the key set of access.jwks cannot be fetched', {
      fix: 'Correct access.jwks, or bring the identity provider back: nobody is let in by its tokens meanwhile.',
    });
  }
}

/** Exactly one of our roles, in a text or in a list; the claim by its whole name, or by a path of names joined by dots. */
function roleOf(payload: JWTPayload, claim: string): Role | undefined {
  const found = Object.hasOwn(payload, claim) ? payload[claim] : atPath(payload, claim.split('.'));
  const own = (Array.isArray(found) ? found : [found]).filter(isRole);
  return own.length === 1 ? own[0] : undefined;
}

function atPath(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, name) =>
      node !== null && typeof node === 'object' && Object.hasOwn(node, name)
        ? (node as Record<string, unknown>)[name]
        : undefined,
    value,
  );
}

async function keySetOf(place: string): Promise<KeySet> {
  if (/^https?:/.test(place)) {
    const known = remote.get(place) ?? createRemoteJWKSet(new URL(place));
    remote.set(place, known);
    return known;
  }
  try {
    return createLocalJWKSet(JSON.parse(await readFile(place, 'utf8')));
  } catch {
    throw new LetheError(
      'CONFIG_INVALID',
      'the file of access.jwks is no JSON Web Key Set that can be read',
      {
        fix: 'Write the public keys of the identity provider into it: {"keys": […]}.',
      },
    );
  }
}
