import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ledgerName,
  type LedgerRecord,
  newestRecords,
  openRecord,
  sealRecord,
} from '../../../keys/ledger/ledger-record.ts';

const key = randomBytes(32);
const own = { store: 'a-store', key };
const record: LedgerRecord = {
  store: 'a-store',
  timeline: 0,
  seq: '41',
  type: 'customer',
  digest: 'ab12',
  state: 'destroyed',
  by: 'request',
  request: 'R-1',
  key: '',
};
const note = (text: string, name = ledgerName(record)) => ({ key: name, value: Buffer.from(text) });

describe('a record of the ledger', () => {
  const text = sealRecord(record, key);

  it('is what was noted', () => {
    expect(openRecord(note(text), own, 'there')).toEqual(record);
  });

  it.each([
    ['with another key', note(sealRecord(record, randomBytes(32)))],
    ['and changed there', note(text.replace('destroyed', 'lifted'))],
    ['with an older place', note(text.replace('"41"', '"40"'))],
    ['of another person', note(text.replace('ab12', 'ab13'), 'customer/ab13/R-1')],
    ['under another name', note(text, 'customer/ab13/R-1')],
    ['by another key store', note(sealRecord({ ...record, store: 'another' }, key))],
    ['as something else', note('{"store":"a-store"}')],
    ['as no JSON', note('ab12')],
    ['as nothing', { key: ledgerName(record), value: null }],
  ])('is refused where it was noted %s', (_how, given) => {
    expect(() => openRecord(given, own, 'ledger, offset 7')).toThrow(
      expect.objectContaining({ code: 'KEY_STORE_INVALID', message: expect.stringContaining('offset 7') }),
    );
  });

  it('counts as the newest by the audit, in whatever order somebody writes older ones once more', () => {
    const history: LedgerRecord[] = [
      { ...record, seq: '9', state: 'suppressed' },
      { ...record, seq: '10', state: 'destroyed' },
      { ...record, timeline: 1, seq: '3', state: 'lifted' },
      { ...record, request: 'R-2', seq: '11', state: 'suppressed' },
    ];
    const noted = fc
      .tuple(fc.shuffledSubarray(history, { minLength: 4 }), fc.array(fc.constantFrom(...history)))
      .map(([all, again]) => [...all, ...again]);
    fc.assert(
      fc.property(noted, (records) => {
        const newest = newestRecords(records);
        expect(newest.map(({ request, state }) => `${request} ${state}`)).toEqual([
          'R-2 suppressed',
          'R-1 lifted',
        ]);
      }),
    );
  });
});
