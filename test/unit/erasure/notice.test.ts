import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keysToErase } from '../../../client/erasure-notice.ts';
import { erasureNotices, noticeKey, type NoticeParts } from '../../../erasure/notice.ts';
import { batches } from '../../../erasure/notice-topic.ts';
import { encodeRecordKey } from '../../../schemas/record-key.ts';

const told = (changes: Partial<NoticeParts> = {}): NoticeParts => ({
  pipeline: 'shop',
  request: 'r-1',
  recipient: 'billing',
  subjectType: 'customer',
  records: [
    { table: 'public.orders', key: '7' },
    { table: 'public.customers', key: '42' },
    { table: 'public.orders', key: '8' },
  ],
  saltKey: Buffer.alloc(32, 1),
  ...changes,
});

const table = fc.constantFrom('public.a', 'public.b', 'sales.c');
const key = fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { minLength: 1, maxLength: 2 });
const record = fc.record({ table, key: key.map(encodeRecordKey) });
const distinct = fc.uniqueArray(record, { selector: (one) => `${one.table}\n${one.key}`, maxLength: 30 });

describe('a notice of an erasure', () => {
  it('tells whoever has the keys which are meant, and nothing else, in however many parts', () => {
    fc.assert(
      fc.property(distinct, distinct, fc.integer({ min: 1, max: 7 }), (records, others, mostKeys) => {
        const notices = erasureNotices(told({ records, mostKeys }));
        expect(notices.map(({ part, parts }) => [part, parts])).toEqual(
          notices.map((_, i) => [i + 1, notices.length]),
        );
        for (const name of ['public.a', 'public.b', 'sales.c']) {
          const own = records.filter((one) => one.table === name).map((one) => one.key);
          const held = [...own, ...others.filter((one) => one.table === name).map((one) => one.key)];
          const found = notices.flatMap((notice) => keysToErase(notice, name, new Set(held)));
          expect(found.toSorted()).toEqual(own.toSorted());
        }
        for (const { tables } of notices)
          expect(tables.flatMap(({ keys }) => keys).length).toBeLessThanOrEqual(mostKeys);
      }),
    );
  });

  it('has the same bytes whenever it is made, whatever the order of records', () => {
    const again = told({ records: told().records.toReversed() });
    expect(JSON.stringify(erasureNotices(again))).toBe(JSON.stringify(erasureNotices(told())));
  });

  it('has no key of a record in it, and does not show that another is about the same person', () => {
    const long = 'customer-4711-4711-4711';
    const records = [{ table: 'public.customers', key: long }];
    const all = [
      erasureNotices(told({ records })),
      erasureNotices(told({ records, request: 'r-2' })),
      erasureNotices(told({ records, recipient: 'printer' })),
    ].map(([notice]) => notice!);
    expect(JSON.stringify(all)).not.toContain(long);
    expect(new Set(all.map(({ salt }) => salt)).size).toBe(3);
    expect(new Set(all.map(({ tables }) => tables[0]!.keys[0])).size).toBe(3);
  });

  it('of another format is refused, since nothing would be found in it', () => {
    const [notice] = erasureNotices(told());
    expect(() => keysToErase({ ...notice!, format: 'lethe/erasure-notice/v2' }, 'public.orders', [])).toThrow(
      'unknown format',
    );
  });

  it('stands under a key of its own', () => {
    expect(noticeKey('r-1', 'billing', 2)).toBe('r-1/billing/2');
  });
});

describe('notices that are written', () => {
  it('go in their order, and none is left out, however large each is', () => {
    const records = fc.array(
      fc.record({ key: fc.string(), value: fc.oneof(fc.constant(null), fc.string({ maxLength: 20 })) }),
    );
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 40 }), (all, most) => {
        const sent = batches(all, most);
        expect(sent.flat()).toEqual(all);
        for (const batch of sent) {
          const size = batch.reduce((sum, one) => sum + one.key.length + (one.value?.length ?? 0), 0);
          if (batch.length > 1) expect(size).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});
