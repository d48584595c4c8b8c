import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes } from '../../../schemas/errors.ts';
import { generatedFiles } from '../../../schemas/generated-files.ts';
import { contractEditorSchema } from '../../../schemas/json-schema/editor-schemas.ts';
import { packageRoot } from '../../../stack/package-root.ts';

const textOf = (path: string) => readFileSync(join(packageRoot(), path), 'utf8');
const files = generatedFiles(textOf);

test.each([...files.keys()])('%s is fresh (else run `node scripts/generate.mjs`)', (path) => {
  const read = (text: string): unknown => (path.endsWith('.json') ? JSON.parse(text) : text);
  expect(read(textOf(path))).toEqual(read(files.get(path)!));
});

test('the page of error codes has every code', () => {
  for (const code of Object.keys(errorCodes)) expect(files.get('docs/errors.md')).toContain(`\`${code}\``);
});

test('an editor offers the actions, and takes the word null as one', () => {
  const text = JSON.stringify(contractEditorSchema());
  for (const action of ['keep', 'drop', 'mask', 'hash', 'encrypt'])
    expect(text).toContain(`"const":"${action}"`);
  expect(text).toContain('"enum":["null",null]');
});

test('an editor takes a reference to the environment where a form is asked for', () => {
  const schema = JSON.parse(files.get('schemas/lethe.schema.json')!) as {
    properties: { postgres: { properties: { url: { anyOf: { pattern: string }[] } } } };
  };
  const patterns = schema.properties.postgres.properties.url.anyOf.map(({ pattern }) => new RegExp(pattern));
  const accepts = (text: string): boolean => patterns.some((pattern) => pattern.test(text));
  expect(accepts('postgres://a@b/c')).toBe(true);
  expect(accepts('${env:PG_URL}')).toBe(true);
  expect(accepts('mysql://a@b/c')).toBe(false);
});
