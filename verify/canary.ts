import type { ActionName } from '../schemas/column-rule.ts';

/** A value that was planted in a protected column, unlike anything else, and must be found nowhere behind it. */
export interface Canary {
  readonly table: string;
  readonly column: string;
  /** What the contract does with the column; `unnamed` where no contract names it. */
  readonly action: ActionName | 'unnamed';
  /**
   * The value's bytes, or a run of them that all planted values of the column share. Several where the type can lie
   * in files in several ways (a number as text and as eight bytes).
   */
  readonly bytes: readonly Uint8Array[];
}

/** Values that never leave Postgres: they must not stand in a raw topic either. */
export function staysAtSource(canary: Canary): boolean {
  return canary.action === 'drop' || canary.action === 'null' || canary.action === 'unnamed';
}
