import { LetheError } from '../schemas/errors.ts';
import { notSetUp } from './epoch-ring.ts';

/** The SQLSTATE, or system code, that a failure of the key store came of; undefined for any other error. */
export function keyStoreState(error: unknown): string | undefined {
  return error instanceof LetheError && error.cause instanceof Error ? error.cause.message : undefined;
}

/** Nothing of the driver's text: it may quote what was sent. */
export function keyStoreError(cause: unknown): LetheError {
  if (cause instanceof LetheError) return cause;
  const state = (cause as { code?: unknown }).code;
  const code = typeof state === 'string' ? state : 'no answer';
  if (code === '42P01' || code === '3F000' || code === '3D000') return notSetUp(code);
  if (code === '28P01' || code === '28000') {
    return new LetheError('AUTH_FAILED', 'the key store refused the credentials of keys.url');
  }
  return new LetheError('KEY_STORE_UNAVAILABLE', `the key store failed (${code})`, {
    cause: new Error(code),
  });
}
