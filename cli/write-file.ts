import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LetheError } from '../schemas/errors.ts';

/** Writes a file into a folder, which is made where there is none; `fresh`: never over a file. Returns its path. */
export async function writeInto(
  folder: string,
  name: string,
  text: string,
  { fresh = false } = {},
): Promise<string> {
  const file = join(folder, name);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(file, text, { flag: fresh ? 'wx' : 'w' });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    throw new LetheError('CONFIG_INVALID', `${file} cannot be written (${reason})`, {
      fix: 'Name another folder with --out, or give this user the right to write there.',
    });
  }
  return file;
}
