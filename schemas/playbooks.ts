import type { ErrorCode } from './errors.ts';

/** Codes that a record is put among the dead letters with. */
export const deadLetterCodes = [
  'RECORD_MALFORMED',
  'RECORD_REJECTED',
  'RECORD_TOO_LARGE',
  'SCHEMA_UNEXPECTED',
  'SCHEMA_UNKNOWN',
  'SUBJECT_ERASED',
  'SUBJECT_MISSING',
  'SUBJECT_UNRESOLVED',
  'VALUE_UNPROTECTABLE',
  'VALUE_UNREPRESENTABLE',
  'VALUE_UNRESOLVED',
] as const satisfies readonly ErrorCode[];

/** Codes at which a table, or the whole pipeline, waits. */
export const stoppingCodes = [
  'AUTH_FAILED',
  'KEY_STORE_INVALID',
  'KEY_STORE_UNAVAILABLE',
  'SERVER_FAILED',
  'SLOT_LOST',
  'TABLE_HALTED',
  'UNREACHABLE',
] as const satisfies readonly ErrorCode[];

const folder = 'docs/playbooks';
const codes: ReadonlySet<string> = new Set([...deadLetterCodes, ...stoppingCodes]);

/** Path of the page that says what to do about a code; of the index for any other. */
export function playbookOf(code: string): string {
  return codes.has(code) ? `${folder}/${code.toLowerCase().replaceAll('_', '-')}.md` : `${folder}/README.md`;
}
