import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { errorCodes } from '../../../schemas/errors.ts';
import { generatedFiles } from '../../../schemas/generated-files.ts';
import { contractEditorSchema } from '../../../schemas/json-schema/editor-schemas.ts';
import { packageRoot } from '../../../stack/package-root.ts';
import { jsonSchemaViolations } from '../../support/json-schema.ts';

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

test('an editor takes a column, and a path, that leave their action to the house rules, with any option of it', () => {
  const accepts = (columns: unknown): boolean => {
    const head = { table: 'public.t', owner: 'crm', tier: 1, sinks: [], staleness: '30s' };
    return jsonSchemaViolations(contractEditorSchema(), { ...head, columns }).length === 0;
  };
  expect(accepts({ phone: { classification: 'person.contact' } })).toBe(true);
  expect(accepts({ phone: { classification: 'person.contact', keepEnd: 2 } })).toBe(true);
  const paths = { born: { classification: 'person.birth' }, language: { action: 'keep' } };
  expect(accepts({ profile: { classification: 'internal', action: 'paths', paths } })).toBe(true);
  expect(accepts({ phone: { classification: 'person.contact', action: null } })).toBe(true);
  expect(accepts({ phone: { classification: 'person.contcat' } })).toBe(false);
  expect(accepts({ phone: { classification: 'person.contact', action: 'maks' } })).toBe(false);
  expect(accepts({ phone: { classification: 'person.contact', action: 'hash', keepEnd: 2 } })).toBe(false);
  expect(accepts({ phone: {} })).toBe(false);
});

test("an editor takes BeanCart's house rules, the word null, and no unknown word", () => {
  const schema = JSON.parse(files.get('schemas/rules.schema.json')!) as object;
  const rules = parse(textOf('examples/beancart/rules.yaml')) as { rules: object[] };
  expect(jsonSchemaViolations(schema, rules)).toEqual([]);
  const rule = { classification: ['person.*'], only: ['drop', null] };
  expect(jsonSchemaViolations(schema, { rules: [rule] })).toEqual([]);
  expect(jsonSchemaViolations(schema, { rules: [{ ...rule, only: ['dorp'] }] })).not.toEqual([]);
  expect(jsonSchemaViolations(schema, { defaults: { 'person.nmae': { action: 'drop' } } })).not.toEqual([]);
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
