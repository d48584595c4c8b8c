import { readFile } from 'node:fs/promises';
import { type ErrorCode, LetheError } from '../../schemas/errors.ts';

/** A file's text, in UTF-8: other bytes would be read as others than are there. Fails with the code, and `fix` says what is wanted. */
export async function textOfFile(file: string, code: ErrorCode, fix: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const why = reason === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'no UTF-8' : reason;
    throw new LetheError(code, `${file} cannot be read (${why})`, { fix });
  }
}
