/**
 * The one error class and its closed list of codes.
 *
 * A code is what programs match on; a message is for people and never holds a row value, a key or a
 * password (invariant: errors are made from codes and names, not from a driver's message).
 * `docs/errors.md` is generated from this list.
 */
export const errorCodes = {
  CONFIG_INVALID: {
    cause: 'lethe.yaml or a file it names cannot be used.',
    action: 'Correct the named field.',
  },
  CONTRACT_INVALID: {
    cause: 'A contract breaks a rule.',
    action: 'Run `lethe check` and correct each finding.',
  },
  ODCS_INVALID: {
    cause: 'A file of the Open Data Contract Standard cannot be taken.',
    action: 'Correct the named field, or write the contract by hand.',
  },
  SECRET_MISSING: {
    cause: 'A ${env:NAME} or ${file:PATH} has no value.',
    action: 'Set the variable or create the file.',
  },
  SOURCE_UNFIT: {
    cause: 'Postgres is not set up for logical replication, or the role may not replicate.',
    action: 'Set wal_level=logical and give the role REPLICATION.',
  },
  SLOT_LOST: {
    cause: 'The replication slot is gone or invalidated: changes were lost.',
    action: 'Take a new snapshot and reconcile before you go on.',
  },
  TABLE_HALTED: {
    cause: 'A table waits: the contract here is not the one that was applied, or a column stands in none.',
    action: 'Run `lethe plan`, then `lethe apply`; start what runs under an older contract again.',
  },
  AUTH_FAILED: {
    cause: 'A server refused the credentials.',
    action: 'Check user and password in lethe.yaml.',
  },
  ACCESS_REFUSED: {
    cause: 'Who asks has no right to it, or did not prove who he is; the audit has it.',
    action: 'Show a token that is valid, of a role that may do it.',
  },
  UNREACHABLE: { cause: 'A server does not answer.', action: 'Start the server or correct its address.' },
  SERVER_FAILED: {
    cause: 'A server answered with an error.',
    action: 'Look at the log of the named server.',
  },
  PLAN_REFUSED: {
    cause: 'What the contracts ask for cannot be done safely.',
    action: 'Follow the reason given.',
  },
  KEY_STORE_UNAVAILABLE: {
    cause: 'The key store does not answer: nothing may pass.',
    action: 'Bring the key store back; the processor goes on by itself.',
  },
  KEY_STORE_INVALID: {
    cause: 'The key store does not fit this master key.',
    action: 'Use the master key the store was made with.',
  },
  RECORD_MALFORMED: {
    cause: 'A record is not the Avro its schema says.',
    action: 'Find out who wrote it; then `lethe dlq retry` has the row read again.',
  },
  SCHEMA_UNKNOWN: {
    cause: 'A record names a schema that the registry does not know.',
    action: 'Restore the registry; then `lethe dlq retry`.',
  },
  SCHEMA_UNEXPECTED: {
    cause: 'A record does not have the shape the contract needs.',
    action: 'Run `lethe plan`: the table changed. When it is applied, `lethe dlq retry`.',
  },
  VALUE_UNRESOLVED: {
    cause: 'A value that the change event does not hold could not be read at the source.',
    action: 'Look whether the column is still there; then `lethe dlq retry`.',
  },
  VALUE_UNREPRESENTABLE: {
    cause: 'A value has no lossless form in a store.',
    action:
      'Leave the column out of that store, keep it as text or correct the value; then `lethe dlq retry`.',
  },
  VALUE_UNPROTECTABLE: {
    cause: 'A value does not fit the action of its column, which would leave it readable.',
    action:
      'Choose another action for the column, or correct the value at the source; then `lethe dlq retry`.',
  },
  ERASURE_REFUSED: {
    cause: 'An erasure cannot be begun, changed or read as it was asked.',
    action: 'Follow the reason given; `lethe erase list` shows the requests.',
  },
  ERASURE_INCOMPLETE: {
    cause: 'Something of a person who is being erased is still there.',
    action: 'Look at the named place; `lethe erase resume` goes on from the step that failed.',
  },
  SUBJECT_MISSING: {
    cause: 'A row to be encrypted has no subject.',
    action:
      'Give the row its subject, make the column NOT NULL or change the action; then `lethe dlq retry`.',
  },
  SUBJECT_UNRESOLVED: {
    cause: 'A row that a path leads to did not come within the deadline: nobody knows whose the row is.',
    action: 'Look why it is missing at the source; then `lethe dlq retry`.',
  },
  RECORD_TOO_LARGE: {
    cause: 'A record is larger than the broker takes.',
    action: 'Make the value smaller, or drop or truncate the column; then `lethe dlq retry`.',
  },
  RECORD_REJECTED: {
    cause: 'A store rejected a document or a row.',
    action: 'Look at the mapping of index or table, mend it, and `lethe dlq retry`.',
  },
  CERTIFICATE_INVALID: {
    cause: 'A certificate of an erasure cannot be issued, or what is to verify one is no public key.',
    action: 'See what the message names; docs/certificates.md has the form.',
  },
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** Whether trying the same again can help: a pure function of the code. */
export function isRetriable(code: ErrorCode): boolean {
  return (
    code === 'TABLE_HALTED' ||
    code === 'UNREACHABLE' ||
    code === 'SERVER_FAILED' ||
    code === 'KEY_STORE_UNAVAILABLE'
  );
}

/** An error with a code of {@link errorCodes}; `fix` is the way out, shown under the message. */
export class LetheError extends Error {
  readonly code: ErrorCode;
  readonly fix: string;
  /** Names (never values) for logs: table, column, topic, partition, offset, file, line. */
  readonly detail: Readonly<Record<string, string | number>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { fix?: string; detail?: Record<string, string | number>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LetheError';
    this.code = code;
    this.fix = options.fix ?? errorCodes[code].action;
    this.detail = options.detail ?? {};
  }
}

/** What may be said of any error in a log: its code or class name, never its text (drivers quote values). */
export function safeReason(error: unknown): string {
  if (error instanceof LetheError) return `${error.code}: ${error.message}`;
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code;
    const type = (error as { type?: unknown }).type;
    return [error.name, typeof code === 'string' ? code : '', typeof type === 'string' ? type : '']
      .filter(Boolean)
      .join(' ');
  }
  return 'unknown error';
}
