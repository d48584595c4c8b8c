import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const room = 'verify';
/** Names of topics and stores, which both sides must agree on; of all else the shapes of the configuration at most. */
const shared = 'schemas/names.ts';
const typesOnly = ['schemas/config.ts', 'schemas/column-rule.ts', 'schemas/contract.ts'];

test('the proof shares no code with what it proves', async () => {
  const files = (await readdir(room, { recursive: true })).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(30);
  const taken: string[] = [];
  for (const file of files) {
    const text = await readFile(join(room, file), 'utf8');
    for (const [, kind, source] of text.matchAll(/^import (type )?[^;]*?from '(\.[^']*)';$/gms)) {
      const path = join(room, file, '..', source!);
      if (path.startsWith(`${room}/`) || path === shared || (kind && typesOnly.includes(path))) continue;
      taken.push(`${file}: ${path}`);
    }
  }
  expect(taken).toEqual([]);
});
