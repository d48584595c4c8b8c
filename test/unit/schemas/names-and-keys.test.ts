import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as names from '../../../schemas/names.ts';
import { decodeRecordKey, documentId, encodeRecordKey } from '../../../schemas/record-key.ts';

const config = { name: 'shop', topics: { prefix: '', partitions: 1, replicationFactor: 1 } };
const part = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,6}$/);
const table = fc.tuple(part, part).map(([s, t]) => `${s}.${t}`);

describe('names', () => {
  const kinds: [string, (t: string) => string][] = [
    ['dataset', names.datasetName],
    ['clean topic', (t) => names.cleanTopic(config, t)],
    ['dead-letter topic', (t) => names.deadLetterTopic(config, t)],
    ['alias', (t) => names.indexAlias(config, t)],
    ['view', names.clickhouseView],
    ['table', (t) => names.clickhouseTable(t, 1)],
  ];
  it.each(kinds)('two tables never share a %s', (_kind, name) => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        if (a !== b) expect(name(a)).not.toBe(name(b));
      }),
      { numRuns: 2_000 },
    );
  });

  it('a view and a table behind another view never share a name', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        expect(names.clickhouseView(a)).not.toBe(names.clickhouseTable(b, 1));
      }),
    );
  });

  const generation = fc.integer({ min: 1, max: 30 });
  const digits = fc.stringMatching(/^[0-9vwrows_]{1,5}$/).map((t) => `_${t}`);
  it('no two generations of any tables share a name, and each is known by its own', () => {
    fc.assert(
      fc.property(
        fc.tuple(
          fc.oneof(
            table,
            digits.map((t) => `public.${t}`),
          ),
          generation,
        ),
        fc.tuple(
          fc.oneof(
            table,
            digits.map((t) => `public.${t}`),
          ),
          generation,
        ),
        ([a, n], [b, m]) => {
          const isSame = a === b && n === m;
          const index = names.indexName(config, a, n);
          const rows = names.clickhouseTable(a, n);
          expect(names.indexNumbers(config, b, index)).toEqual(
            a === b ? { generation: n, copy: 1 } : undefined,
          );
          expect(names.indexNumbers(config, b, names.indexName(config, a, n, m))).toEqual(
            a === b ? { generation: n, copy: m } : undefined,
          );
          expect(names.clickhouseGeneration(b, rows)).toBe(a === b ? n : undefined);
          expect(names.indexName(config, b, m) === index).toBe(isSame);
          expect(names.writeAlias(config, b, m) === names.writeAlias(config, a, n)).toBe(isSame);
          const others = [names.indexAlias(config, b), names.indexName(config, b, m)];
          expect(others).not.toContain(names.writeAlias(config, a, n));
          expect(names.indexAlias(config, b)).not.toBe(index);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('fit what Kafka and Elasticsearch take', () => {
    fc.assert(
      fc.property(table, (t) => {
        expect(names.cleanTopic(config, t)).toMatch(/^[a-z0-9._-]+$/);
        expect(names.indexName(config, t, 1)).toMatch(/^[a-z][a-z0-9_-]*$/);
      }),
    );
  });

  it('read plainly in the plain case', () => {
    expect(names.rawTopic(config, 'public.order_items')).toBe('raw.public.order_items');
    expect(names.cleanTopic(config, 'public.order_items')).toBe('clean.public.order_items');
    expect(names.indexAlias(config, 'public.order_items')).toBe('shop-order_items');
    expect(names.clickhouseView('sales.orders')).toBe('sales__orders');
  });
});

describe('record keys', () => {
  const parts = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 4 });
  it('are injective: "a|b" + "c" is not "a" + "b|c"', () => {
    expect(encodeRecordKey(['a|b', 'c'])).not.toBe(encodeRecordKey(['a', 'b|c']));
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        if (JSON.stringify(a) !== JSON.stringify(b)) expect(encodeRecordKey(a)).not.toBe(encodeRecordKey(b));
      }),
    );
  });

  it('read back', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((s) => !s.includes('\0'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (p) => {
        expect(decodeRecordKey(encodeRecordKey(p))).toEqual(p);
      }),
    );
  });

  it('keep document ids within 512 bytes, long keys by a digest', () => {
    const long = encodeRecordKey(['é'.repeat(400)]);
    expect(Buffer.byteLength(documentId(long))).toBeLessThanOrEqual(512);
    expect(documentId(long)).not.toBe(documentId(`${long}x`));
    expect(documentId('42')).toBe('42');
  });
});
