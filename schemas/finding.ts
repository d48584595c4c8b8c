import type { ErrorCode } from './errors.ts';

/**
 * What `lethe check` finds. A code is what programs match on; message and fix are for people and never hold a
 * secret: keys, names and allowed values only.
 */
export const findingCodes = {
  FILE_UNREADABLE: 'The file or folder cannot be read.',
  FILE_EMPTY: 'The file says nothing.',
  YAML_SYNTAX: 'The file is not YAML.',
  DUPLICATE_KEY: 'One key stands twice in a map.',
  UNKNOWN_KEY: 'A key that nothing reads; it would be ignored silently.',
  MISSING_KEY: 'A key that must be given.',
  WRONG_TYPE: 'A value of another type than the key takes.',
  UNKNOWN_VALUE: 'A value that is not one of those allowed.',
  WRONG_VALUE: 'A value of the right type that breaks a rule.',
  NO_CONTRACTS: 'The folder of contracts holds none: nothing would pass.',
  DUPLICATE_CONTRACT: 'Two contracts for one table.',
  NAME_NOT_ALLOWED: 'A name that has no unchanged form in Kafka, Avro or a store.',
  NAMES_COLLIDE: 'Two names that become one in a server.',
  SINK_NOT_CONFIGURED: 'A sink that lethe.yaml does not configure.',
  HOUSE_RULE: 'A contract, or a default, that breaks a rule of the house; a rule for no table at all.',
  ENCRYPT_WITHOUT_SUBJECT: 'Encryption needs to know whose key to use.',
  TABLE_MISSING: 'The table does not exist.',
  TABLE_KIND: 'A view, foreign, partitioned, inherited or unlogged table.',
  TABLE_ACCESS: 'The role may not read the table, does not own it or sees only a part of it.',
  NO_PRIMARY_KEY: 'A row without a key can be neither updated nor deleted downstream.',
  COLUMN_MISSING: 'The table has no such column.',
  COLUMN_UNLISTED: 'A column that no contract names: it does not pass.',
  COLUMN_GENERATED: 'A generated column that does not travel in the WAL.',
  KEY_NOT_LISTED: 'A column of the primary key that the contract does not pass on.',
  KEY_ACTION: 'An action that a key cannot have.',
  KEY_TYPE: 'A key of a type without one canonical text.',
  ACTION_ON_TYPE: 'An action that cannot treat the type of the column.',
  PATH_CONFLICT: 'Two paths into one value of which only one can hold.',
  CONDITION_TYPE:
    'A condition on a type whose values have more than one spelling, or with a value the type never has.',
  TYPE_NOT_TAKEN: 'A type that no lossless path exists for.',
  SUBJECT_COLUMN_MISSING: 'The column that says whose row it is does not exist.',
  SUBJECT_NULLABLE: 'A row without a subject cannot be encrypted.',
  SUBJECT_TYPE: 'A subject of a type without one canonical text.',
  PATH_TABLE:
    'A path over a table that has no contract, or no primary key that a value could be looked up by.',
  PATH_COLUMN:
    'A column of a path that does not exist, is not listed or is of a type that cannot be looked up.',
  ERASURE_RULE: 'What a contract says of erasure cannot be done, or leaves something.',
  REPLICA_IDENTITY: 'The replica identity has to change before a column list can be set.',
  PLUGIN_MISSING: 'Kafka Connect lacks a plugin.',
} as const;

/** A code of its own, or that of the error a server answered with. */
export type FindingCode = keyof typeof findingCodes | ErrorCode;

/** `error` stops plan and apply; `warning` may hurt later; `notice` says what will happen. */
export type Severity = 'error' | 'warning' | 'notice';

export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** As a person would open it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column?: number;
  /** `columns.email.action`; empty for the whole file. */
  readonly field: string;
  readonly message: string;
  /** The way out. */
  readonly fix: string;
}

/** Files in order, then lines; the first in a file stands first. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) => compare(a.file, b.file) || a.line - b.line || (a.column ?? 0) - (b.column ?? 0),
  );
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
