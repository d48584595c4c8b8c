import { expect, test } from 'vitest';
import { allEqual, type TableComparison } from '../../../verify/compare.ts';
import { formatComparison, formatScan, reportJson } from '../../../verify/report.ts';
import { isClean, type PlaceReport } from '../../../verify/scan.ts';

const counts = {
  source: 2_000,
  found: 2_000,
  compared: 2_000,
  equal: 2_000,
  missing: 0,
  extra: 0,
  different: 0,
};
const equal: TableComparison = {
  table: 'public.customers',
  rows: 2_000,
  places: [
    { place: 'clean topic', counts, values: 24_000, decrypted: 4_000, columns: new Map(), findings: [] },
    { place: 'clickhouse', counts, values: 24_000, decrypted: 4_000, columns: new Map(), findings: [] },
  ],
};
const differs: TableComparison = {
  table: 'public.orders',
  rows: 3,
  places: [
    {
      place: 'elasticsearch',
      counts: { source: 3, found: 3, compared: 2, equal: 1, missing: 1, extra: 1, different: 1 },
      values: 20,
      decrypted: 0,
      columns: new Map([['total', 1]]),
      findings: [
        { kind: 'different', keyDigest: '0123456789ab', columns: [{ name: 'total', why: 'value' }] },
        { kind: 'missing', keyDigest: 'ba9876543210', columns: [] },
      ],
    },
  ],
};
const clean: PlaceReport = {
  place: 'clean topics',
  records: 12_345,
  files: 0,
  bytes: 6_789_000,
  found: 0,
  controls: 0,
  findings: [],
  problems: [],
  seconds: 1.25,
};
const leaked: PlaceReport = {
  ...clean,
  place: 'logs',
  found: 3,
  findings: [
    {
      place: 'logs',
      where: '/logs/a.log',
      offset: 7,
      table: 'customers',
      column: 'email',
      action: 'hash',
      form: 'hex',
    },
  ],
};
const unread: PlaceReport = { ...clean, place: 'connect', problems: ['Kafka Connect does not answer'] };
const plain = { colour: false };

test('a comparison is told in numbers, and in one sentence', () => {
  expect(formatComparison([equal], plain)).toBe(
    [
      'table             place         rows  compared  equal  missing  extra  different  values  decrypted',
      'public.customers  clean topic  2,000     2,000  2,000        0      0          0  24,000      4,000  equal',
      'public.customers  clickhouse   2,000     2,000  2,000        0      0          0  24,000      4,000  equal',
      'Every row and every value is as the contracts say.',
      '',
    ].join('\n'),
  );
});

test('what differs is named by column and digest', () => {
  const text = formatComparison([equal, differs], plain);
  expect(text).toContain('public.orders in elasticsearch, columns that differ: total 1');
  expect(text).toContain('  row 0123456789ab different: total (value)');
  expect(text).toContain('  row ba9876543210 missing');
  expect(text).toContain('Rows differ from what the contracts say.');
});

test('a scan is told by place, with what was found and what was not read', () => {
  const text = formatScan([clean, leaked, unread], plain);
  expect(text).toMatch(/^clean topics +12,345 +0 +6\.8 MB +1\.3 s +0 +clean$/m);
  expect(text).toMatch(/^logs .* 3 +LEAKED$/m);
  expect(text).toMatch(/^connect .* 0 +NOT READ$/m);
  expect(text).toContain('  customers.email (hash, hex) in /logs/a.log, byte 7');
  expect(text).toContain('  … and 2 more in logs');
  expect(text).toContain('  connect: Kafka Connect does not answer');
  expect(text).toContain('The scan is not clean.');
  expect(formatScan([clean], plain)).toContain('No protected value was found anywhere.');
});

test('colour is for terminals only', () => {
  expect(formatScan([leaked], { colour: true })).toContain('\u001b[1;31mLEAKED\u001b[0m');
  expect(formatScan([leaked], plain)).not.toContain('\u001b');
});

test('the verdicts: nothing less than all is equal, and what was not read is not clean', () => {
  expect(allEqual([equal])).toBe(true);
  expect(allEqual([equal, differs])).toBe(false);
  expect(isClean([clean])).toBe(true);
  expect(isClean([clean, leaked])).toBe(false);
  expect(isClean([clean, unread])).toBe(false);
  expect(isClean([])).toBe(false);
});

test('programs get both as one JSON object', () => {
  const value = JSON.parse(reportJson([differs], [leaked])) as Record<string, unknown>;
  expect(value).toMatchObject({
    equal: false,
    clean: false,
    comparisons: [{ table: 'public.orders', places: [{ columns: { total: 1 } }] }],
    places: [{ place: 'logs', found: 3 }],
  });
});
