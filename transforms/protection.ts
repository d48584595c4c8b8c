import type { KeyObject } from 'node:crypto';
import type { ColumnRule, PathRule } from '../schemas/column-rule.ts';
import type { Dataset, DatasetColumn } from '../schemas/dataset.ts';

/** A data subject's current data key, as the key store hands it out. */
export interface DataKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
  /** AES-256. */
  readonly key: KeyObject;
}

/** What a key that does not depend on the row is for; its length follows from it. */
export type SecretPurpose = 'pseudonym' | 'token' | 'format';

/** What the engine needs of the key store; the composition root passes the real one in. */
export interface Protection {
  /**
   * Data keys of subjects, in their order, made where there is none yet. One round trip for what is not cached.
   * Fails with KEY_STORE_UNAVAILABLE (retried by the caller; nothing passes meanwhile); a subject that was
   * erased comes back as null.
   */
  dataKeys(type: string, ids: readonly string[]): Promise<(DataKey | null)[]>;
  /** Key of the column itself, or of its domain: HMAC-SHA-256 of 32 bytes, AES-SIV of 64, FF1 with AES of 32. */
  secret(purpose: SecretPurpose, scope: string): Promise<KeyObject>;
}

/** A secret that a column's action needs. */
export interface SecretName {
  readonly purpose: SecretPurpose;
  readonly scope: string;
}

const purposes: Readonly<Partial<Record<ColumnRule['action'], SecretPurpose>>> = {
  hash: 'pseudonym',
  tokenise: 'token',
  'format-preserving': 'format',
};

/**
 * The secret of a rule: that of its declared join domain, or one bound to table and column, and to the path within it. Undefined
 * for an action that needs none.
 */
export function secretName(
  table: string,
  column: string,
  rule: ColumnRule | PathRule,
  path?: string,
): SecretName | undefined {
  const purpose = purposes[rule.action];
  if (!purpose) return undefined;
  const domain = 'domain' in rule ? rule.domain : undefined;
  const place = path === undefined ? column : placeOf(column, path);
  return { purpose, scope: domain ? `domain/${domain}` : `column/${table}/${place}` };
}

/** A path within a column, as scopes and associated data name it. */
export function placeOf(column: string, path: string): string {
  return `${column}#${path}`;
}

/** Every secret that the dataset's columns need. */
export function secretsOf(dataset: Dataset): SecretName[] {
  return dataset.columns.flatMap((column) => namesOf(dataset.table, column));
}

function namesOf(table: string, { name, rule }: DatasetColumn): SecretName[] {
  const found =
    rule.action === 'paths'
      ? Object.entries(rule.paths).map(([path, inner]) => secretName(table, name, inner, path))
      : [secretName(table, name, rule)];
  return found.filter((secret) => secret !== undefined);
}
