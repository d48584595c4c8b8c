import { createReadStream, existsSync, statSync, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { StackError } from '../stack/stack-error.ts';

/** Prints the last lines of a log and, if asked, what is appended to it until the process is ended. */
export async function printLog(
  part: string,
  file: string,
  options: { readonly lines: number; readonly follow?: true; readonly json?: true },
): Promise<void> {
  if (!existsSync(file)) {
    throw new StackError(
      'NOTHING_HERE',
      `${part} has no log yet: ${file}`,
      'start the stack with `lethe stack up`',
    );
  }
  const text = await readFile(file, 'utf8');
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .slice(-options.lines);
  if (options.json) process.stdout.write(`${JSON.stringify({ part, file, lines }, null, 2)}\n`);
  else process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  if (!options.follow) return;
  let offset = Buffer.byteLength(text);
  await new Promise<never>((_, reject) => {
    watchFile(file, { interval: 250 }, () => {
      const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      if (size < offset) offset = 0; // the log was begun anew
      if (size === offset) return;
      const from = offset;
      offset = size;
      pipeline(createReadStream(file, { start: from, end: size - 1 }), process.stdout, { end: false }).catch(
        reject,
      );
    });
  });
}
