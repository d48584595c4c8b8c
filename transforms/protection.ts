import type { ColumnRule, PathRule } from '../schemas/column-rule.ts';
import type { Dataset, DatasetColumn } from '../schemas/dataset.ts';
import { type KeyPurpose, type KeyUse, keyUse } from '../schemas/key-use.ts';
import { isUnderSubject } from '../schemas/subject-keys.ts';

/** A data subject's current key, as the key store hands it out. */
export interface DataKey {
  /** 16 bytes. */
  readonly keyId: Buffer;
  readonly generation: number;
  subkey(use: KeyUse): Buffer;
  /** What `make` makes of a subkey, made once. */
  made<T>(use: KeyUse, make: (subkey: Buffer) => T): T;
}

/** Whose keys are asked for. */
export interface SubjectKind {
  readonly type: string;
}

/** What the engine needs of the key store; the composition root passes the real one in. */
export interface Protection {
  /**
   * Data keys of subjects, in their order, made where there is none yet. One round trip for what is not cached.
   * Fails with KEY_STORE_UNAVAILABLE (retried by the caller; nothing passes meanwhile); a subject that was
   * erased comes back as null.
   */
  dataKeys(kind: SubjectKind, ids: readonly string[]): Promise<(DataKey | null)[]>;
  /** Which subjects are suppressed, for rows that need no key of theirs; fails in the same way. */
  areSuppressed(kind: SubjectKind, ids: readonly string[]): Promise<boolean[]>;
  /** A subkey that depends on no row: of the column itself, or of its domain. */
  sharedKey(use: KeyUse): Promise<Buffer>;
}

const purposes: Readonly<Partial<Record<ColumnRule['action'], KeyPurpose>>> = {
  hash: 'pseudonym',
  tokenise: 'token',
  'format-preserving': 'format',
};

/** A rule in its place. */
export interface Ruled {
  readonly table: string;
  readonly column: Pick<DatasetColumn, 'name' | 'keyIndex'>;
  readonly rule: ColumnRule | PathRule;
  readonly path?: string | undefined;
}

/**
 * What the key of a pseudonym, token or format is for: its declared join domain, or table and column, and the path within it. Undefined
 * for an action that needs none.
 */
export function keyedUse({ table, column, rule, path }: Ruled): KeyUse | undefined {
  const purpose = purposes[rule.action];
  if (!purpose) return undefined;
  const domain = 'domain' in rule ? rule.domain : undefined;
  const alphabet = 'alphabet' in rule ? [rule.alphabet] : [];
  if (domain !== undefined) return keyUse(purpose, 'domain', domain, ...alphabet);
  const place = path === undefined ? column.name : placeOf(column.name, path);
  return keyUse(purpose, 'column', table, place, ...alphabet);
}

/** Is the rule's key the row's subject's own, not one that all rows share? */
export function isOwn(hasSubject: boolean, { column, rule }: Pick<Ruled, 'column' | 'rule'>): boolean {
  return isUnderSubject(rule, { hasSubject, isKey: column.keyIndex !== undefined });
}

/** Is anything of a row made with its subject's own key? */
export function usesSubjectKeys(dataset: RuledColumns): boolean {
  return ruledOf(dataset).some((ruled) => isOwn(dataset.subject !== undefined, ruled));
}

/** What the subject's subkey of an encrypted value is for. A path has its column's classification unless it has its own. */
export function encryptUse(table: string, column: ColumnRule, path?: PathRule): KeyUse {
  return keyUse('encrypt', table, path?.classification ?? column.classification);
}

/** A path within a column, as scopes and associated data name it. */
export function placeOf(column: string, path: string): string {
  return `${column}#${path}`;
}

/** Every shared key that the dataset's columns need. */
export function sharedUsesOf(dataset: RuledColumns): KeyUse[] {
  const shared = ruledOf(dataset).filter((ruled) => !isOwn(dataset.subject !== undefined, ruled));
  return shared.map(keyedUse).filter((use) => use !== undefined);
}

type RuledColumns = Pick<Dataset, 'table' | 'columns' | 'subject'>;

/** The rules that treat values, each in its place. */
export function ruledOf({ table, columns }: RuledColumns): Ruled[] {
  return columns.flatMap((column): Ruled[] =>
    column.rule.action === 'paths'
      ? Object.entries(column.rule.paths).map(([path, rule]) => ({ table, column, rule, path }))
      : [{ table, column, rule: column.rule }],
  );
}
