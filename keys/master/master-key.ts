/**
 * Keeps master keys, one for each epoch, and destroys them for good. An epoch key is all that they wrap: subjects' keys are wrapped
 * under that, here, so that a person costs no call.
 *
 * All methods fail with KEY_STORE_UNAVAILABLE (retriable) where nobody answers, AUTH_FAILED, or KEY_STORE_INVALID where the key is not
 * there or does not open what it is given. The conformance suite says what every one of them must do.
 */
export interface MasterKeys {
  /** As lethe.yaml and certificates call it. */
  readonly kind: MasterKind;
  /** Makes a key; returns its name, which is not secret. Called under the key store's lock. */
  create(): Promise<string>;
  /** Wraps at most 1 KiB; `context` is bound to it. */
  wrap(name: string, plaintext: Buffer, context: Buffer): Promise<Buffer>;
  /** What {@link wrap} wrapped under this name and context. */
  unwrap(name: string, wrapped: Buffer, context: Buffer): Promise<Buffer>;
  /** Destroys it. Doing so again, or to one that never was, is no error. */
  destroy(name: string): Promise<Destruction>;
}

export const masterKinds = ['local', 'vault', 'aws-kms'] as const;
export type MasterKind = (typeof masterKinds)[number];

/** Whether nobody can open anything with a key any more. */
export type Destruction =
  | { readonly state: 'destroyed' }
  /** It is out of use, and whoever may manage it can still take it back until then. */
  | { readonly state: 'pending'; readonly until: Date };
