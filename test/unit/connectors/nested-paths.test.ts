import { expect, test } from 'vitest';
import { checkTable } from '../../../connectors/check-table.ts';
import type { CatalogTable } from '../../../connectors/postgres/catalog.ts';
import type { ValueShape } from '../../../connectors/postgres/value-shape.ts';
import { catalogOf, columnOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const text: ValueShape = { typeText: 'text', isOpen: false };
const spot: ValueShape = {
  typeText: 'spot',
  isOpen: false,
  fields: [
    { name: 'lat', ...text },
    { name: 'lon', ...text },
  ],
};
const address: ValueShape = {
  typeText: 'address',
  isOpen: false,
  fields: [
    { name: 'street', ...text },
    { name: 'at', ...spot },
    { name: 'spots', typeText: 'spot[]', isOpen: false, elements: spot },
    { name: 'tags', typeText: 'text[]', isOpen: false, elements: text },
    { name: 'doc', typeText: 'jsonb', isOpen: true },
  ],
};

const column = (typeName: string, typeKind: string, shape: ValueShape): CatalogTable =>
  tableOf({
    columns: [
      columnOf('id', 'int4', { nullable: false }),
      columnOf('place', typeName, { typeKind, typeText: shape.typeText, shape }),
    ],
  });
const composite = column('address', 'c', address);
const list = column('_numeric', 'b', { typeText: 'numeric[]', isOpen: false, elements: text });

function check(rule: string, table: CatalogTable) {
  const contract = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: id }
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  place: { classification: person.address, action: ${rule} }
`;
  return checkTable(contractOf(contract), catalogOf(table));
}

const paths = (...all: readonly string[]): string =>
  `paths, paths: { ${all.map((path) => `${path}: { action: keep }`).join(', ')} }`;

test.each(['drop', "'null'", 'encrypt'])('a composite and an array of any type can have %s', (rule) => {
  expect(check(rule, composite)).toEqual([]);
  expect(check(rule, list)).toEqual([]);
});

test.each([
  'keep',
  'hash',
  'mask',
  'redact',
  'truncate, keep: 3',
  'generalise, to: year',
  'tokenise',
  'format-preserving',
])('neither can have %s', (rule) => {
  for (const table of [composite, list]) {
    expect(check(rule, table)).toMatchObject([{ code: 'ACTION_ON_TYPE', field: 'columns.place.action' }]);
  }
  expect(check('keep', composite)[0]!.fix).toBe('Use one of: drop, null, encrypt, paths.');
});

test('fields that no path leads to are told', () => {
  const [notice, ...rest] = check(paths('street', 'at.lat', "'spots[].lon'", 'doc.a'), composite);
  expect(rest).toEqual([]);
  expect(notice).toMatchObject({ severity: 'notice', code: 'COLUMN_UNLISTED' });
  expect(notice!.message).toContain(': place.at.lon, place.spots[].lat, place.tags');
});

test('a whole field may be encrypted or dropped, and json below a field has any path', () => {
  const whole = `paths, paths: { at: { action: encrypt }, spots: { action: drop }, tags: { action: 'null' }, street: { action: hash }, 'doc.**': { action: keep } }`;
  expect(check(whole, composite)).toEqual([]);
  expect(check(paths("'[]'"), list)).toEqual([]);
  expect(check(paths("'[][]'"), list)).toEqual([]);
});

test.each([
  ['a field that is not there', 'stret', 'Name one of street, at, spots, tags, doc.'],
  ['a nested field that is not there', 'at.lot', 'Name one of lat, lon.'],
  ['every field', "'*'", 'Name the fields: street, at, spots, tags, doc.'],
  ['everything below', "'**'", 'Name the fields: street, at, spots, tags, doc.'],
  ['everything below a field', "'at.**'", 'Name the fields: lat, lon.'],
  ['something below a text', 'street.x', 'Let the path end there.'],
  ['a field of an array', 'spots.lat', 'Write [] for its elements.'],
  ['elements of what is no array', "'at[].lat'", 'Take [] out.'],
  ['a composite as one value', 'at', 'Name its fields: lat, lon.'],
  ['an array as one value', 'tags', 'Write tags[] for its elements.'],
])('a path to %s is refused', (_what, path, fix) => {
  const [finding] = check(paths(path), composite);
  expect(finding).toMatchObject({ severity: 'error', code: 'ACTION_ON_TYPE', line: 9, fix });
});

test('a path into an array of another shape is refused', () => {
  const [finding] = check(paths('a'), list);
  expect(finding).toMatchObject({ code: 'ACTION_ON_TYPE', fix: 'Write [] for its elements.' });
});
