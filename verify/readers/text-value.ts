import { VerifyError } from '../verify-error.ts';

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new VerifyError('DATA_MALFORMED', 'not text');
  return value;
}

/** Bytes from base64 with padding; anything else in the text is refused. */
export function base64Of(value: unknown): Buffer {
  const text = textOf(value);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new VerifyError('DATA_MALFORMED', 'not base64');
  return bytes;
}
