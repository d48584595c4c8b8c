import { expect, test } from 'vitest';
import { canonicalJson, JsonNumber, parseJson } from '../../../verify/json.ts';
import { clickhouseForm } from '../../../verify/readers/clickhouse-rows.ts';
import { documentForm } from '../../../verify/readers/elasticsearch-documents.ts';
import { lines } from '../../../verify/readers/lines.ts';
import { typeOf } from '../../../verify/readers/schema-registry.ts';
import { avroTypeOf, normalFromAvro } from '../../../verify/rules/avro-value.ts';
import type { Kind } from '../../../verify/rules/kind.ts';
import type { ColumnCheck } from '../../../verify/rules/table-check.ts';
import { normalFromSource } from '../../../verify/rules/normal-form.ts';

const number = (text: string): JsonNumber => new JsonNumber(text);
const column = (kind: Kind): ColumnCheck => ({
  name: 'c',
  kind,
  rule: { classification: 'public', action: 'keep' },
  isKey: false,
  fractionDigits: 6,
});

/** One value as Postgres prints it, as Avro holds it, as a document has it, as ClickHouse gives it; all the same. */
const same: [
  kind: Kind,
  normal: string,
  source: string,
  avro: unknown,
  document: unknown,
  clickhouse: unknown,
][] = [
  ['boolean', 'true', 't', true, true, true],
  ['int', '-7', '-7', -7, number('-7'), number('-7')],
  [
    'long',
    '9223372036854775807',
    '9223372036854775807',
    9223372036854775807n,
    number('9223372036854775807'),
    number('9223372036854775807'),
  ],
  ['float', '0.10000000149011612', '0.1', Math.fround(0.1), number('0.10000000149011612'), number('0.1')],
  ['double', '1e+300', '1e+300', 1e300, number('1E300'), number('1e300')],
  ['double', '0', '-0', -0, number('0'), number('-0')],
  ['decimal', '12.50', '12.50', '12.50', '12.50', number('12.50')],
  ['text', 'Zoë\u2028|%', 'Zoë\u2028|%', 'Zoë\u2028|%', 'Zoë\u2028|%', 'Zoë\u2028|%'],
  [
    'uuid',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  ],
  ['date', '19782', '2024-02-29', 19782, '2024-02-29', '2024-02-29'],
  ['time', '86399999999', '23:59:59.999999', 86_399_999_999n, '23:59:59.999999', '23:59:59.999999'],
  [
    'timestamp',
    '1709251199999999',
    '2024-02-29 23:59:59.999999',
    1_709_251_199_999_999n,
    '2024-02-29T23:59:59.999999',
    number('1709251199999999'),
  ],
  [
    'timestamptz',
    '1709251199500000',
    '2024-02-29 23:59:59.5+00',
    '2024-02-29T23:59:59.5Z',
    '2024-02-29T23:59:59.500000Z',
    number('1709251199500000'),
  ],
  [
    'json',
    '{"a":15e-1,"b":[null,true]}',
    '{"b": [null, true], "a": 1.50}',
    '{"a":1.5,"b":[null,true]}',
    '{"a":1.50,"b":[null,true]}',
    '{"b":[null,true],"a":15e-1}',
  ],
  ['bytes', '00ff', '\\x00ff', Buffer.from([0, 255]), 'AP8=', 'AP8='],
  [
    'text[]',
    '["a",null,"b,\\"c"]',
    '["a",null,"b,\\"c"]',
    ['a', null, 'b,"c'],
    ['a', null, 'b,"c'],
    ['a', null, 'b,"c'],
  ],
  [
    'long[]',
    '[9007199254740993,null]',
    '[9007199254740993,null]',
    [9007199254740993n, null],
    [number('9007199254740993'), null],
    [number('9007199254740993'), null],
  ],
  ['interval', 'P0Y0M1DT0H0M0S', 'P1D', 'P0Y0M1DT0H0M0S', 'P0Y0M1DT0H0M0S', 'P0Y0M1DT0H0M0S'],
  ['timetz', '08:15:30Z', '10:15:30+02', '08:15:30Z', '08:15:30Z', '08:15:30Z'],
]; // prettier-ignore

test.each(same)('%s %s is one value in all places', (kind, normal, source, avro, document, clickhouse) => {
  expect(normalFromSource(kind, source)).toBe(normal);
  expect(normalFromAvro(kind, avro)).toBe(normal);
  expect(documentForm.normal(column(kind), document)).toBe(normal);
  expect(clickhouseForm.normal(column(kind), clickhouse)).toBe(normal);
});

/** Near misses: what a place might hold instead, and must not be taken for the value. */
const near: [kind: Kind, source: string, document: unknown][] = [
  ['long', '9223372036854775807', number('9223372036854775808')],
  ['decimal', '12.50', '12.5'],
  ['decimal', '0.00000001', '1E-8'],
  ['text', 'a ', 'a'],
  ['time', '23:59:59.999999', '23:59:59.999'],
  ['timestamp', '2024-02-29 23:59:59.999999', '2024-02-29T23:59:59.999998'],
  ['timestamptz', '2024-02-29 23:59:59.5+00', '2024-02-29T23:59:59.5+01:00'],
  ['json', '{"a":1}', '{"a":1.0000000000000000001}'],
  ['json', '{"a":1}', '{"a":"1"}'],
  ['double', '0.1', number('0.10000000000000002')],
];

test.each(near)('a %s is not its near miss', (kind, source, document) => {
  expect(documentForm.normal(column(kind), document)).not.toBe(normalFromSource(kind, source));
});

/** A value of another type is not a value. */
const wrong: [kind: Kind, document: unknown][] = [
  ['int', '7'],
  ['int', number('7.0')],
  ['boolean', 'true'],
  ['double', '1'],
  ['timestamp', '2024-02-29T23:59:59Z'],
  ['timestamptz', '2024-02-29T23:59:59'],
  ['bytes', 'AP8'],
  ['long[]', ['1']],
  ['text', number('1')],
];

test.each(wrong)('a %s of another type is refused', (kind, document) => {
  expect(() => documentForm.normal(column(kind), document)).toThrow(/^(not|a document's value is not)/);
});

test('Avro of every kind decodes to what was encoded, longs to the last digit', () => {
  for (const [kind, normal, , avro] of same) {
    const type = typeOf(avroTypeOf(kind));
    expect(normalFromAvro(kind, type.fromBuffer(type.toBuffer(avro)))).toBe(normal);
  }
});

test('JSON numbers keep their digits and are compared by value', () => {
  const text = '{"n":12345678901234567890.123456789,"m":-0,"e":1.0E+2,"__proto__":[]}';
  expect(canonicalJson(parseJson(text))).toBe(
    '{"__proto__":[],"e":1e2,"m":0,"n":12345678901234567890123456789e-9}',
  );
  expect(canonicalJson(parseJson('"\\u00e9\\n"'))).toBe('"é\\n"');
  for (const bad of ['', '{', '01', '[1,]', '{"a" 1}', '"a', 'nul', '[1]x', '"\u0001"']) {
    expect(() => parseJson(bad), bad).toThrow('not JSON');
  }
});

test('lines end at a newline only, also across chunks', async () => {
  const bytes = Buffer.from('["a\u2028b"]\n["é"]\n["c"]');
  for (let size = 1; size < bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const read: string[] = [];
    for await (const line of lines(asyncly(chunks))) read.push(line);
    expect(read).toEqual(['["a\u2028b"]', '["é"]', '["c"]']);
  }
});

async function* asyncly<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
