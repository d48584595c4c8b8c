import type { KeyUse } from '../schemas/key-use.ts';
import type { SubjectKey } from './subject-key.ts';

/** Of which subjects; a purpose has a key of its own, so that it can be destroyed, or outlive the others, alone. */
export interface SubjectKind {
  readonly type: string;
  /** Empty: the person's key. */
  readonly purpose?: string;
}

/**
 * Where data keys live. A tier-0 dependency: while it is away nothing passes.
 *
 * Each subject has a key of its own, made at first sight, under a generation; a subject whose key was destroyed gets null, never a
 * new key (a person who returns is a recorded decision, not a side effect of an event).
 * All methods fail with KEY_STORE_UNAVAILABLE (retriable) or KEY_STORE_INVALID.
 */
export interface KeyStore {
  /** Data keys of subjects in their order; made where there are none; null for who was erased or is suppressed. */
  dataKeys(kind: SubjectKind, ids: readonly string[]): Promise<(SubjectKey | null)[]>;
  /** Which of them are suppressed: nothing of them may pass. For whoever needs no key of theirs; none is made. */
  areSuppressed(kind: SubjectKind, ids: readonly string[]): Promise<boolean[]>;
  /** A key by what a ciphertext names; null if it was destroyed or never was, or its subject is suppressed. */
  keyById(keyId: Buffer, generation: number): Promise<SubjectKey | null>;
  /** A subkey of no subject, for a declared join domain, or a table's own use: destroying nobody's key unlinks what is made with it. */
  sharedKey(use: KeyUse): Promise<Buffer>;
  close(): Promise<void>;
}

/** Whose key dead letters' payloads are encrypted under. */
export const deadLetterSubject = { type: 'lethe-dead-letter', id: 'payload' } as const;
