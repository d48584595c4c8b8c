import type { KeyObject } from 'node:crypto';
import type { Dataset, DatasetColumn } from '../schemas/dataset.ts';

/** A data subject's current data key, as the key store hands it out. */
export interface DataKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
  /** AES-256. */
  readonly key: KeyObject;
}

/** What the engine needs of the key store; the composition root passes the real one in. */
export interface Protection {
  /**
   * Data keys of subjects, in their order, made where there is none yet. One round trip for what is not cached.
   * Fails with KEY_STORE_UNAVAILABLE (retried by the caller; nothing passes meanwhile); a subject that was
   * erased comes back as null.
   */
  dataKeys(type: string, ids: readonly string[]): Promise<(DataKey | null)[]>;
  /** HMAC-SHA-256 key of a pseudonym: of the column itself, or of its domain. */
  pseudonymKey(scope: string): Promise<KeyObject>;
}

/** What a pseudonym's key is bound to: a declared join domain, or the table and column alone. */
export function pseudonymScope(dataset: Dataset, column: DatasetColumn): string {
  const domain = column.rule.action === 'hash' ? column.rule.domain : undefined;
  return domain ? `domain/${domain}` : `column/${dataset.table}/${column.name}`;
}
