/**
 * Errors of the proof itself. They name servers, files, tables and columns, never a value.
 *
 * - `DATA_MALFORMED`: bytes are not what their format says; a comparison counts it as a difference.
 * - `SERVER_FAILED`: a server did not answer, or answered with an error; nothing is proved.
 * - `NOT_COVERED`: something the proof has no rule for; better to stop than to pass it over.
 */
export type VerifyErrorCode = 'DATA_MALFORMED' | 'SERVER_FAILED' | 'NOT_COVERED';

export class VerifyError extends Error {
  readonly code: VerifyErrorCode;

  constructor(code: VerifyErrorCode, message: string) {
    super(message);
    this.name = 'VerifyError';
    this.code = code;
  }
}

/** What may be said of any error: class and code, never a driver's text (it may quote a value). */
export function reasonOf(error: unknown): string {
  if (error instanceof VerifyError) return error.message;
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}
