import { expect, test } from 'vitest';
import { checkContracts } from '../../../schemas/check-contract.ts';
import { configOf, contractOf } from '../../support/contract-fixture.ts';

const contract = (table: string, columns: string, rest = ''): string =>
  `table: ${table}\nowner: crm\ntier: 1\nsinks: [elasticsearch]\nstaleness: 30s\n${rest}columns:\n${columns}`;

const keep = (name: string): string => `  ${name}: { classification: internal, action: keep }\n`;

function findings(...texts: string[]) {
  const loaded = texts.map((text, index) => contractOf(text, `contracts/${index}.yaml`));
  return checkContracts(loaded, configOf()).map(
    ({ file, line, field, code }) => `${file.slice('contracts/'.length)}:${line} ${field} ${code}`,
  );
}

test('a contract within the rules has no finding', () => {
  expect(findings(contract('public.customers', keep('id')))).toEqual([]);
});

test('encrypt needs a subject', () => {
  const column = '  email: { classification: person.contact, action: encrypt }\n';
  expect(findings(contract('public.customers', keep('id') + column))).toEqual([
    '0.yaml:8 columns.email.action ENCRYPT_WITHOUT_SUBJECT',
  ]);
  expect(
    findings(contract('public.customers', keep('id') + column, 'subject: { type: c, key: id }\n')),
  ).toEqual([]);
});

test('a sink that lethe.yaml does not configure is named at its place in the list', () => {
  const loaded = contractOf(
    contract('public.customers', keep('id')).replace('[elasticsearch]', '[elasticsearch, clickhouse]'),
  );
  const config = configOf({ clickhouse: undefined });
  expect(checkContracts([loaded], config)).toMatchObject([
    { code: 'SINK_NOT_CONFIGURED', line: 4, column: 24, field: 'sinks.1' },
  ]);
});

test('column names that Avro or Lethe cannot take are refused unless the column is dropped', () => {
  const columns = keep('_lethe_version') + keep('"e-mail"') + keep('1st');
  expect(findings(contract('public.customers', columns))).toEqual([
    '0.yaml:7 columns._lethe_version NAME_NOT_ALLOWED',
    '0.yaml:8 columns.e-mail NAME_NOT_ALLOWED',
    '0.yaml:9 columns.1st NAME_NOT_ALLOWED',
  ]);
  const dropped = '  "e-mail": { classification: person.contact, action: drop }\n';
  expect(findings(contract('public.customers', keep('id') + dropped))).toEqual([]);
});

test('two columns that differ only by case are refused', () => {
  expect(findings(contract('public.customers', keep('email') + keep('Email')))).toEqual([
    '0.yaml:8 columns.Email NAMES_COLLIDE',
  ]);
});

test('tables whose topics Kafka calls one are refused', () => {
  expect(findings(contract('a_b.c', keep('id')), contract('a.b_c', keep('id')))).toEqual([
    '1.yaml:1 table NAMES_COLLIDE',
  ]);
});

test('names too long for a topic or an index are refused', () => {
  const long = 'Q'.repeat(60);
  expect(findings(contract(`public.${long}`, keep('id')))).toEqual(['0.yaml:1 table NAME_NOT_ALLOWED']);
  expect(findings(contract(`public.${long.toLowerCase()}`, keep('id')))).toEqual([]);
});

test("Lethe's own schema is refused", () => {
  expect(findings(contract('lethe.heartbeat_other', keep('id')))).toEqual([
    '0.yaml:1 table NAME_NOT_ALLOWED',
  ]);
});

test.each([
  ['** under anything but keep', '"a.**": { action: hash }', ['a.**']],
  ['a path below one that takes all', '"a.**": { action: keep }, a.b: { action: hash }', ['a.b']],
  ['one place twice', 'a: { action: keep }, \'"a"\': { action: hash }', ['"a"']],
  ['a path below an encrypted one', 'a: { action: encrypt }, "a[].b": { action: keep }', ['a[].b']],
  ['paths beside each other', 'a: { action: keep }, a.b: { action: hash }, "*": { action: mask }', []],
])('%s', (_what, paths, expected) => {
  const column = `  doc: { classification: internal, action: paths, paths: { ${paths} } }\n`;
  const subject = 'subject: { type: c, key: id }\n';
  expect(findings(contract('public.customers', keep('id') + column, subject))).toEqual(
    expected.map((path) => `0.yaml:9 columns.doc.paths.${path} PATH_CONFLICT`),
  );
});

test('bits of a network mean nothing for a period', () => {
  const column = '  seen: { classification: internal, action: generalise, to: year, v4: 8 }\n';
  expect(findings(contract('public.customers', keep('id') + column))).toEqual([
    '0.yaml:8 columns.seen.v4 WRONG_VALUE',
  ]);
});

test.each([
  ['names without the kind', 'names: [email], kinds: [email]'],
  ['the kind without names', 'kinds: [name, email]'],
])('redact with %s is refused', (_what, options) => {
  const column = `  note: { classification: content.free-text, action: redact, ${options} }\n`;
  expect(findings(contract('public.customers', keep('email') + column))).toEqual([
    '0.yaml:8 columns.note.kinds WRONG_VALUE',
  ]);
});
