import { type ErrorCode, LetheError } from './errors.ts';

/** Codes that a record is put among the dead letters with. */
export const deadLetterCodes = [
  'RECORD_MALFORMED',
  'RECORD_REJECTED',
  'RECORD_TOO_LARGE',
  'SCHEMA_UNEXPECTED',
  'SCHEMA_UNKNOWN',
  'SUBJECT_MISSING',
  'SUBJECT_UNRESOLVED',
  'VALUE_UNPROTECTABLE',
  'VALUE_UNREPRESENTABLE',
  'VALUE_UNRESOLVED',
] as const satisfies readonly ErrorCode[];

/** Codes at which a table, the whole pipeline, or an erasure waits. */
export const stoppingCodes = [
  'AUTH_FAILED',
  'ERASURE_INCOMPLETE',
  'KEY_STORE_INVALID',
  'KEY_STORE_UNAVAILABLE',
  'SERVER_FAILED',
  'SLOT_LOST',
  'TABLE_HALTED',
  'UNREACHABLE',
] as const satisfies readonly ErrorCode[];

const ofRecord: ReadonlySet<string> = new Set(deadLetterCodes);

/**
 * Whether it is one record that is at fault, which then goes to the dead letters. Anything else is a server's or the set-up's: no record is given up
 * for it, and the table waits.
 */
export function isOfRecord(error: unknown): error is LetheError {
  return error instanceof LetheError && ofRecord.has(error.code);
}

const folder = 'docs/playbooks';
const codes: ReadonlySet<string> = new Set([...deadLetterCodes, ...stoppingCodes]);

/** Whether there is a page of its own for the code. */
export function hasPlaybook(code: string): boolean {
  return codes.has(code);
}

/** Path of the page that says what to do about a code; of the index for one that has none. */
export function playbookOf(code: string): string {
  const page = hasPlaybook(code) ? code.toLowerCase().replaceAll('_', '-') : 'README';
  return `${folder}/${page}.md`;
}
