import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDocuments } from '../../../sinks/elasticsearch/documents.ts';
import { fieldMapping } from '../../../sinks/elasticsearch/types.ts';
import { toJson } from '../../../sinks/elasticsearch/values.ts';
import { at, change, everyKind, testDataset } from '../../support/sink-datasets.ts';

const dataset = everyKind('public.t');
const json = (column: string, value: unknown): string =>
  toJson(dataset.columns.find(({ name }) => name === column)!)(value);

/** Characters that JSON escapes, and some of each length in UTF-8. */
const awkward = fc.constantFrom('a', '"', '\\', '\n', '\u0000', '\u2028', 'é', '漢', '\u{1f642}');

describe('elasticsearch documents', () => {
  it('have one field type for each kind of value', () => {
    const types = Object.fromEntries(dataset.columns.map((column) => [column.name, fieldMapping(column)]));
    const keyword = { type: 'keyword', ignore_above: 8_191 };
    const opaque = { type: 'keyword', index: false, doc_values: false };
    const text = { type: 'text', fields: { keyword: { type: 'keyword', ignore_above: 1_024 } } };
    const timestamp = { type: 'date', format: 'strict_date_optional_time', ignore_malformed: true };
    expect(types).toEqual({
      id: { type: 'long' },
      flag: { type: 'boolean' },
      small: { type: 'integer' },
      big: { type: 'long' },
      single: { type: 'float' },
      real: { type: 'double' },
      price: { type: 'double', ignore_malformed: true },
      exact: keyword,
      widest: keyword,
      negative_scale: { type: 'double', ignore_malformed: true },
      free: keyword,
      note: text,
      uid: keyword,
      day: { type: 'date', format: 'strict_date', ignore_malformed: true },
      clock: keyword,
      at: timestamp,
      at_zone: timestamp,
      doc: opaque,
      raw: opaque,
      tags: keyword,
      smalls: { type: 'integer' },
      bigs: { type: 'long' },
      secret: opaque,
      alias: keyword,
      'Odd `name': text,
      must: { type: 'integer' },
    });
  });

  it('write every 64-bit integer digit by digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        expect(json('big', value)).toBe(value.toString());
        expect(json('bigs', [value, null])).toBe(`[${value},null]`);
      }),
    );
  });

  it('write every finite float so that it reads back as itself', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(JSON.parse(json('real', value))).toBe(value);
      }),
    );
    expect(json('real', -0)).toBe('-0.0');
  });

  it('write text, decimals and bytes so that they read back as themselves', () => {
    fc.assert(
      fc.property(fc.string({ unit: awkward }), fc.uint8Array({ maxLength: 40 }), (text, bytes) => {
        expect(JSON.parse(json('note', text))).toBe(text);
        expect(json('tags', [text, null])).toBe(`[${json('note', text)},null]`);
        const base64 = JSON.parse(json('raw', Buffer.from(bytes))) as string;
        expect(Buffer.from(base64, 'base64').equals(bytes)).toBe(true);
      }),
    );
    expect(json('price', '12.50')).toBe('"12.50"');
  });

  it.each([
    ['real', Number.NaN, 'VALUE_UNREPRESENTABLE'],
    ['single', Number.NEGATIVE_INFINITY, 'VALUE_UNREPRESENTABLE'],
    ['big', 12, 'SCHEMA_UNEXPECTED'],
    ['small', 12n, 'SCHEMA_UNEXPECTED'],
    ['note', 12, 'SCHEMA_UNEXPECTED'],
    ['flag', 'true', 'SCHEMA_UNEXPECTED'],
    ['raw', 'text', 'SCHEMA_UNEXPECTED'],
    ['tags', 'text', 'SCHEMA_UNEXPECTED'],
    ['at', 5, 'SCHEMA_UNEXPECTED'],
  ])('take no %s that is %s', (column, value, code) => {
    expect(() => json(column, value)).toThrow(expect.objectContaining({ code }));
  });

  it('are two lines each, with the version as an integer of 63 bits, and nothing of a deleted row but its key', () => {
    const narrow = testDataset(
      'public.t',
      ['id'],
      [
        { name: 'id', type: 'text' },
        { name: 'gone', type: 'text' },
      ],
    );
    const version = { epoch: 31n, commit: 2n ** 53n - 1n, lsn: 1n, seq: 5_000n };
    const lines = compileDocuments(narrow)(change(narrow, ['a"\n'], version, null)).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe(
      '{"index":{"_id":"a\\"%0A","version":9223372036854775807,"version_type":"external_gte"}}',
    );
    expect(Object.keys(JSON.parse(lines[1]!) as object)).toEqual(['_lethe']);
    const [, source] = compileDocuments(narrow)(change(narrow, ['a'], at(1), { id: 'a' })).split('\n');
    expect(JSON.parse(source!)).toMatchObject({ id: 'a', gone: null, _lethe: { deleted: false } });
  });
});
