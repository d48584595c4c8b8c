import { lengthPrefixed } from './length-prefixed.ts';

/** AES-256-GCM of values, HMAC-SHA-256, AES-SIV with AES-256, FF1 with AES-256: how many bytes their keys have. */
export const subkeyBytes = { encrypt: 32, pseudonym: 32, token: 64, format: 32 } as const;
export type KeyPurpose = keyof typeof subkeyBytes;

/**
 * What a subkey is for. One object for each use in a process, so that a subject's subkeys stand in an array by `slot` and none is looked
 * up by a name for each value.
 */
export interface KeyUse {
  readonly slot: number;
  readonly purpose: KeyPurpose;
  /** What HKDF is told. */
  readonly info: Buffer;
}

const uses = new Map<string, KeyUse>();

/**
 * The use of a purpose in a scope: for `encrypt` dataset and classification, else the column's own, or its join domain. Whoever is given a
 * subkey can open what it is for, and find no other.
 */
export function keyUse(purpose: KeyPurpose, ...scope: readonly string[]): KeyUse {
  const info = lengthPrefixed('lethe/subkey/v2', purpose, ...scope);
  const name = info.toString('latin1');
  const use = uses.get(name) ?? { slot: uses.size, purpose, info };
  uses.set(name, use);
  return use;
}
