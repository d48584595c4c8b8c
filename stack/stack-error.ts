/** Every way in which the stack can refuse or fail, as a closed list. */
export const STACK_ERROR_CODES = [
  'BROKEN_DOWNLOAD',
  'DATA_UNREADABLE',
  'DISK_FULL',
  'DOWNLOAD_FAILED',
  'FOLDER_BUSY',
  'FOLDER_CLOSED',
  'INTERRUPTED',
  'JAVAC_MISSING',
  'JAVA_MISSING',
  'JAVA_TOO_OLD',
  'MAVEN_MISSING',
  'NEEDS_CONFIRMATION',
  'NODE_TOO_OLD',
  'NOTHING_HERE',
  'NOT_RUNNING',
  'NPM_MISSING',
  'PART_DIED',
  'PART_SLOW',
  'PLATFORM_UNSUPPORTED',
  'PORT_INVALID',
  'PORT_IN_USE',
  'PREFLIGHT',
  'TAR_MISSING',
  'UNKNOWN_PART',
] as const;

/** Code of a {@link StackError}. */
export type StackErrorCode = (typeof STACK_ERROR_CODES)[number];

/** An error of the stack: what went wrong, and the way out. Holds no password and no row value. */
export class StackError extends Error {
  override readonly name: string = 'StackError';
  readonly code: StackErrorCode;
  readonly fix: string;

  constructor(code: StackErrorCode, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.fix = fix;
  }
}
