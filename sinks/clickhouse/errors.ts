import { ClickHouseError } from '@clickhouse/client';
import { LetheError } from '../../schemas/errors.ts';

/** READONLY, UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED. */
const authCodes: ReadonlySet<string> = new Set(['164', '192', '193', '194', '497', '516']);

/** NO_SUCH_COLUMN_IN_TABLE, UNKNOWN_IDENTIFIER, UNKNOWN_TABLE, UNKNOWN_DATABASE. */
const unappliedCodes: ReadonlySet<string> = new Set(['16', '47', '60', '81']);

/**
 * Codes that a single row can be the cause of: parse and conversion errors, values out of range, a violated
 * constraint. With any other code the rows are not at fault.
 */
const rowCodes: ReadonlySet<string> = new Set([
  '6', // CANNOT_PARSE_TEXT
  '25', // CANNOT_PARSE_ESCAPE_SEQUENCE
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '32', // ATTEMPT_TO_READ_AFTER_EOF
  '33', // CANNOT_READ_ALL_DATA
  '38', // CANNOT_PARSE_DATE
  '41', // CANNOT_PARSE_DATETIME
  '53', // TYPE_MISMATCH
  '69', // ARGUMENT_OUT_OF_BOUND
  '70', // CANNOT_CONVERT_TYPE
  '72', // CANNOT_PARSE_NUMBER
  '117', // INCORRECT_DATA
  '128', // TOO_LARGE_ARRAY_SIZE
  '131', // TOO_LARGE_STRING_SIZE
  '321', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  '349', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  '376', // CANNOT_PARSE_UUID
  '407', // DECIMAL_OVERFLOW
  '467', // CANNOT_PARSE_BOOL
  '469', // VIOLATED_CONSTRAINT
]);

/** Whether a row of the batch may be what the server refused. */
export function mayBeARow(error: unknown): boolean {
  return error instanceof ClickHouseError && rowCodes.has(error.code);
}

/** The privileges that plan, apply and run need, for the message when one is missing. */
const privileges =
  'Give the user CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP VIEW, ALTER ADD COLUMN, ALTER SETTINGS, ALTER DELETE, SYSTEM CLEANUP, DROP TABLE, INSERT and SELECT on the database of this pipeline.';

/**
 * Makes a LetheError of a driver's error from its code and type alone: its text quotes rows. `what` says what was
 * tried, in names.
 */
export function toLetheError(error: unknown, what: string): LetheError {
  if (error instanceof LetheError) return error;
  if (!(error instanceof ClickHouseError)) {
    return new LetheError('UNREACHABLE', `ClickHouse does not answer: ${systemCode(error)} (${what}).`, {
      fix: 'Start the server, or correct clickhouse.url or clickhouse.tls in lethe.yaml.',
    });
  }
  const { code, type } = error;
  const named = `${code}${type ? ` ${type}` : ''}`;
  if (authCodes.has(code)) {
    const refused = code === '497' || code === '164';
    return refused
      ? new LetheError('AUTH_FAILED', `ClickHouse does not allow this user to ${what}.`, { fix: privileges })
      : new LetheError('AUTH_FAILED', `ClickHouse refused the credentials (${what}).`);
  }
  if (unappliedCodes.has(code)) {
    return new LetheError('SERVER_FAILED', `ClickHouse lacks what the contract asks: ${named} (${what}).`, {
      fix: 'Run `lethe apply`.',
    });
  }
  return new LetheError('SERVER_FAILED', `ClickHouse answered ${named} (${what}).`);
}

/** `ECONNREFUSED` and its like, else the error's class. */
function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^[A-Z_0-9]+$/.test(code) ? code : 'no answer';
}
