import { expect, test } from 'vitest';
import { checkTable } from '../../../connectors/check-table.ts';
import type { CatalogTable } from '../../../connectors/postgres/catalog.ts';
import { catalogOf, columnOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const contract = `table: public.customers
owner: crm
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: hash }
`;
const subject = 'subject: { type: customer, key: id }\n';

function findings(text: string, table: CatalogTable | undefined, serverVersion?: number) {
  return checkTable(contractOf(text), catalogOf(table, serverVersion)).map(
    ({ severity, line, field, code }) => `${severity} ${line} ${field} ${code}`,
  );
}

const withEmail = (typeName: string, rest = {}): CatalogTable =>
  tableOf({ columns: [columnOf('id', 'int4', { nullable: false }), columnOf('email', typeName, rest)] });
const withKey = (typeName: string, rest = {}): CatalogTable =>
  tableOf({ columns: [columnOf('id', typeName, { nullable: false, ...rest }), columnOf('email', 'text')] });
const action = (name: string): string => contract.replace('action: hash', `action: ${name}`);

test('a contract that fits its table has no finding', () => {
  expect(findings(contract, tableOf())).toEqual([]);
});

test('a table that does not exist is refused, with the one that was meant', () => {
  const text = contract.replace('public.customers', 'public.custmers');
  const [finding] = checkTable(contractOf(text), catalogOf(undefined));
  expect(finding).toMatchObject({ code: 'TABLE_MISSING', line: 1, field: 'table' });
  expect(finding?.message).toContain('Did you mean public.customers?');
});

test('a column that does not exist is refused, with the one that was meant', () => {
  const [finding] = checkTable(contractOf(contract.replace('email:', 'emial:')), catalogOf(tableOf()));
  expect(finding).toMatchObject({ code: 'COLUMN_MISSING', line: 8, column: 3, field: 'columns.emial' });
  expect(finding?.message).toContain('Did you mean email?');
});

test.each(['v', 'm', 'f', 'p'])('a relation of kind %s is refused', (relKind) => {
  expect(findings(contract, tableOf({ relKind }))).toEqual(['error 1 table TABLE_KIND']);
});

test('an unlogged table and one with inheritance children are refused', () => {
  expect(findings(contract, tableOf({ persistence: 'u' }))).toEqual(['error 1 table TABLE_KIND']);
  expect(findings(contract, tableOf({ hasChildren: true }))).toEqual(['error 1 table TABLE_KIND']);
});

test('a table without a primary key, or with a deferrable one, is refused', () => {
  expect(findings(contract, tableOf({ primaryKey: [] }))).toEqual(['error 1 table NO_PRIMARY_KEY']);
  expect(findings(contract, tableOf({ keyDeferrable: true }))).toEqual(['error 1 table NO_PRIMARY_KEY']);
});

test('a key column must be listed, with keep or hash', () => {
  expect(findings(contract, tableOf({ primaryKey: ['id', 'email'] }))).toEqual([]);
  const unlisted = contract.replace(/ {2}id: .*\n/, '');
  expect(findings(unlisted, tableOf())).toEqual([
    'error 6 columns KEY_NOT_LISTED',
    'notice 6 columns COLUMN_UNLISTED',
  ]);
  const masked = contract.replace('action: keep', 'action: drop');
  expect(findings(masked, tableOf())).toEqual(['error 7 columns.id.action KEY_ACTION']);
});

test.each(['text', 'int2', 'int8', 'uuid', 'numeric', 'date', 'timestamptz'])('%s may be a key', (type) => {
  expect(findings(contract, withKey(type))).toEqual([]);
});

test.each([
  ['numrange', 'r'],
  ['address', 'c'],
])('%s may not be a key', (type, typeKind) => {
  expect(findings(contract, withKey(type, { typeKind }))).toContainEqual('error 7 columns.id KEY_TYPE');
});

test.each(['bool', 'float8', 'timestamp', 'time', 'jsonb', 'bytea', '_text'])(
  '%s may not be a key',
  (type) => {
    expect(findings(contract, withKey(type))).toEqual(['error 7 columns.id KEY_TYPE']);
  },
);

test('an action on a type that it cannot treat is refused, with those that can', () => {
  const [finding] = checkTable(contractOf(action('mask')), catalogOf(withEmail('int4')));
  expect(finding).toMatchObject({ code: 'ACTION_ON_TYPE', line: 8, field: 'columns.email.action' });
  expect(finding?.fix).toBe('Use one of: keep, drop, null, generalise, hash, tokenise, encrypt.');
  expect(findings(action('hash'), withEmail('jsonb'))).toEqual([
    'error 8 columns.email.action ACTION_ON_TYPE',
  ]);
  expect(findings(action('hash'), withEmail('float8'))).toEqual([
    'error 8 columns.email.action ACTION_ON_TYPE',
  ]);
});

test.each([
  ['date', 'month'],
  ['timestamp', 'day'],
  ['timestamptz', 'year'],
  ['int4', '10'],
  ['int8', '1000'],
  ['float8', '0.01'],
  ['numeric', '0.000001'],
])('%s can be generalised to %s', (type, to) => {
  expect(findings(action(`generalise, to: ${to}`), withEmail(type))).toEqual([]);
});

test.each([
  ['date', 'day', 'Write to: year or month.'],
  ['date', '10', 'Write to: year or month.'],
  ['timestamp', '10', 'Write to: year or month or day.'],
  ['int4', 'year', 'Write to: a whole number from 2 on.'],
  ['int8', '0.5', 'Write to: a whole number from 2 on.'],
  ['int4', '1', 'Write to: a whole number from 2 on.'],
  ['float8', 'day', 'Write to: a number above 0.'],
  ['float4', '10', 'Use one of: keep, drop, null, encrypt.'],
  ['time', 'day', 'Use one of: keep, drop, null, encrypt.'],
  [
    'text',
    'year',
    'Use one of: keep, drop, null, mask, truncate, hash, tokenise, format-preserving, redact, encrypt.',
  ],
  ['inet', 'year', 'Write to: network.'],
])('%s cannot be generalised to %s, and what can be done is said', (type, to, fix) => {
  const text = action(`generalise, to: ${to}`);
  const [finding] = checkTable(contractOf(text), catalogOf(withEmail(type)));
  expect(finding).toMatchObject({ code: 'ACTION_ON_TYPE', line: 8, field: 'columns.email.action', fix });
});

test('a band finer than the column is refused', () => {
  const column = withEmail('numeric', { precision: 8, scale: 2 });
  const [finding] = checkTable(contractOf(action('generalise, to: 0.005')), catalogOf(column));
  expect(finding?.fix).toBe('Write to: a number above 0 with at most 2 decimals.');
  expect(findings(action('generalise, to: 0.05'), column)).toEqual([]);
});

test('a type that is not taken is refused unless it is dropped', () => {
  for (const column of [withEmail('point'), withEmail('money'), withEmail('tstzrange', { typeKind: 'r' })]) {
    expect(findings(action('keep'), column)).toEqual(['error 8 columns.email.action TYPE_NOT_TAKEN']);
    expect(findings(action('drop'), column)).toEqual([]);
  }
  expect(findings(action('keep'), withEmail('mood', { typeKind: 'e' }))).toEqual([]);
  expect(findings(action('keep'), withEmail('daterange', { typeKind: 'r' }))).toEqual([]);
});

test('a generated column is refused where it does not travel', () => {
  const virtual = withEmail('text', { generation: 'virtual' });
  expect(findings(action('keep'), virtual)).toEqual(['error 8 columns.email.action COLUMN_GENERATED']);
  expect(findings(action('drop'), virtual)).toEqual([]);
  const stored = withEmail('text', { generation: 'stored' });
  expect(findings(action('keep'), stored, 180000)).toEqual([]);
  expect(findings(action('keep'), stored, 170004)).toEqual(['error 8 columns.email.action COLUMN_GENERATED']);
});

test("a subject's column must exist, be listed and be a name", () => {
  const named = (key: string): string => subject.replace('key: id', `key: ${key}`) + action('encrypt');
  expect(findings(named('id'), tableOf())).toEqual([]);
  expect(findings(named('nobody'), tableOf())).toEqual(['error 1 subject.key SUBJECT_COLUMN_MISSING']);
  const other = tableOf({ columns: [...tableOf().columns, columnOf('owner', 'int4')] });
  expect(findings(named('owner'), other)).toEqual([
    'error 1 subject.key SUBJECT_COLUMN_MISSING',
    'notice 7 columns COLUMN_UNLISTED',
  ]);
  expect(findings(named('id'), withKey('date'))).toEqual(['error 1 subject.key SUBJECT_TYPE']);
});

test('a nullable subject of a row that is made with its key is a warning', () => {
  const table = tableOf({ columns: [...tableOf().columns, columnOf('owner', 'int4')] });
  const text = `${subject.replace('key: id', 'key: owner')}${action('encrypt')}  owner: { classification: person.id, action: drop }\n`;
  expect(findings(text, table)).toEqual(['warning 1 subject.key SUBJECT_NULLABLE']);
  expect(findings(text.replace('encrypt', 'hash'), table)).toHaveLength(1);
  expect(findings(text.replace('encrypt', 'hash, domain: mail'), table)).toEqual([]);
  expect(findings(text.replace('encrypt', 'hash, under: shared'), table)).toEqual([]);
});

test('rights that the role lacks are named', () => {
  expect(findings(contract, tableOf({ owned: false }))).toEqual(['error 1 table TABLE_ACCESS']);
  expect(findings(contract, tableOf({ rowsHidden: true }))).toEqual(['error 1 table TABLE_ACCESS']);
  expect(findings(contract, withEmail('text', { readable: false }))).toEqual(['error 1 table TABLE_ACCESS']);
  expect(findings(action('drop'), withEmail('text', { readable: false }))).toEqual([]);
});

test('what will happen unasked is a notice', () => {
  const table = tableOf({
    columns: [...tableOf().columns, columnOf('phone', 'text')],
    replicaIdentity: 'full',
  });
  expect(findings(contract, table)).toEqual([
    'notice 6 columns COLUMN_UNLISTED',
    'notice 1 table REPLICA_IDENTITY',
  ]);
});

test.each([
  [
    'a path into an array that it cannot have',
    'paths, paths: { a: { action: keep } }',
    '_text',
    "Write one path: '[]'.",
  ],
  [
    'an action that the elements cannot have',
    "paths, paths: { '[]': { action: mask } }",
    '_int4',
    'Use one of: keep, null, hash, tokenise, encrypt.',
  ],
  [
    'a band of texts',
    "paths, paths: { '[]': { action: generalise, to: 10 } }",
    '_text',
    'Use one of: keep, null, hash, tokenise, encrypt.',
  ],
  [
    'a path into a text',
    'paths, paths: { a: { action: keep } }',
    'text',
    'Use one of: keep, drop, null, mask, truncate, hash, tokenise, format-preserving, redact, encrypt.',
  ],
])('%s is refused', (_what, rule, type, fix) => {
  const [finding] = checkTable(contractOf(action(rule)), catalogOf(withEmail(type)));
  expect(finding).toMatchObject({ code: 'ACTION_ON_TYPE', line: 8, field: 'columns.email.action', fix });
});

test('a column too short for a domain of a million values cannot be format-preserving', () => {
  const short = withEmail('varchar', { typeText: 'character varying(5)' });
  expect(findings(action('format-preserving'), short)).toEqual([
    'error 8 columns.email.action ACTION_ON_TYPE',
  ]);
  expect(findings(action('format-preserving, alphabet: lower'), short)).toEqual([]);
});

const conditions = (text: string) => action('hash').replace('sinks:', `${text}\nsinks:`);

test.each([
  ['a column that is not there', 'where: [{ column: stat, in: [a] }]', 'where.0.column COLUMN_MISSING'],
  ['a type of many spellings', 'where: [{ column: seen, is: empty }]', 'where.0.column CONDITION_TYPE'],
  ['a value the type never has', 'where: [{ column: id, in: [1, one] }]', 'where.0.in CONDITION_TYPE'],
  [
    'a consent that is no yes or no',
    'consent: { purpose: ads, column: id }',
    'consent.granted CONDITION_TYPE',
  ],
])('a condition on %s is refused', (_what, text, expected) => {
  const table = withEmail('text');
  const seen = { ...table.columns[0]!, name: 'seen', typeName: 'timestamptz', typeText: 'timestamptz' };
  const listed = `${conditions(text)}  seen: { classification: internal, action: keep }\n`;
  const found = findings(listed, { ...table, columns: [...table.columns, seen] });
  expect(found.map((line) => line.split(' ').slice(2).join(' '))).toEqual([expected]);
});

test.each([
  ['that the table does not have', 'nam', 'COLUMN_MISSING'],
  ['that the contract does not list', 'other', 'COLUMN_MISSING'],
  ['that holds no text', 'id', 'ACTION_ON_TYPE'],
])('names from a column %s are refused', (_what, name, code) => {
  const table = withEmail('text');
  const columns = [...table.columns, columnOf('other', 'text')];
  const found = findings(action(`redact, names: [${name}]`), { ...table, columns });
  expect(found[0]).toBe(`error 8 columns.email ${code}`);
});
