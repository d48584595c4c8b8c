import type { KeyObject } from 'node:crypto';

/** A data subject's data key. `keyId` stands in every ciphertext made with it. */
export interface StoredKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
  /** AES-256. */
  readonly key: KeyObject;
}

/**
 * What a key that is derived from the store's pseudonym secret is for: HMAC-SHA-256 (32 bytes), AES-SIV with AES-256 (64 bytes),
 * FF1 with AES-256 (32 bytes). HKDF-SHA-256, RFC 5869, with the info `lethe/<purpose>/v1/<scope>`.
 */
export const secretBytes = { pseudonym: 32, token: 64, format: 32 } as const;
export type SecretPurpose = keyof typeof secretBytes;

/**
 * Where data keys live. A tier-0 dependency: while it is away nothing passes.
 *
 * Each subject has a key of its own, made at first sight, under a generation; a subject whose latest key was
 * destroyed gets null, never a new key (a person who returns is a recorded decision, not a side effect of an event).
 * All methods fail with KEY_STORE_UNAVAILABLE (retriable) or KEY_STORE_INVALID.
 */
export interface KeyStore {
  /** Data keys of subjects in their order; made where there are none. */
  dataKeys(type: string, ids: readonly string[]): Promise<(StoredKey | null)[]>;
  /** A key by what a ciphertext names; null if it was destroyed or never was. */
  keyById(keyId: Buffer, generation: number): Promise<StoredKey | null>;
  /** The key of a column, or of a join domain, for one purpose; see {@link SecretPurpose}. */
  secret(purpose: SecretPurpose, scope: string): Promise<KeyObject>;
  close(): Promise<void>;
}

/** Whose key dead letters' payloads are encrypted under. */
export const deadLetterSubject = { type: 'lethe-dead-letter', id: 'payload' } as const;
