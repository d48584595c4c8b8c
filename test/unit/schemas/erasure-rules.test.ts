import { describe, expect, test } from 'vitest';
import { checkContracts } from '../../../schemas/check-contract.ts';
import { contractShape } from '../../../schemas/contract.ts';
import { deriveDataset } from '../../../schemas/dataset.ts';
import { contractChanges } from '../../../schemas/diff/contract-changes.ts';
import { retainedUntil } from '../../../schemas/erasure-rule.ts';
import { parseContracts } from '../../../schemas/load-contracts.ts';
import { configOf, tableOf } from '../../support/contract-fixture.ts';

const text = (
  erasure: string,
  { table = 'public.customers', subject = '{ type: customer, key: id }' } = {},
) =>
  `table: ${table}
owner: crm
tier: 1
${subject === '' ? '' : `subject: ${subject}\n`}${erasure}
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: hash }
  gone: { classification: person.contact, action: drop }
`;

function findings(...texts: string[]): string[] {
  const files = texts.map((one, i) => ({ file: `${i}.yaml`, text: one }));
  const { contracts, findings } = parseContracts(files);
  return [...findings, ...checkContracts(contracts, configOf())].map(
    ({ file, line, field, code }) => `${file}:${line} ${field} ${code}`,
  );
}

describe('what a contract says of erasure', () => {
  test.each([
    ['nothing', ''],
    ['rows are deleted', 'erasure: { source: delete }'],
    ['columns are set to null, by the word', 'erasure: { source: null, columns: [email, crm_note] }'],
    ['columns are set to null, by the text', "erasure: { source: 'null', columns: [email] }"],
    ['something is kept', 'erasure: { retain: { columns: [email], basis: the law, for: 10y } }'],
    ['a delete starts it', 'erasure: { source: delete, starts: true }'],
  ])('may be that %s', (_what, erasure) => {
    expect(findings(text(erasure))).toEqual([]);
  });

  test.each([
    ['null without columns', 'erasure: { source: null }', 'source ERASURE_RULE'],
    ['no word', 'erasure: { source: }', 'source UNKNOWN_VALUE'],
    ['columns without null', 'erasure: { source: delete, columns: [email] }', 'columns ERASURE_RULE'],
    ['the subject set to null', 'erasure: { source: null, columns: [email, id] }', 'columns.1 ERASURE_RULE'],
    [
      'kept and deleted',
      'erasure: { source: delete, retain: { columns: [email], basis: law, for: 1y } }',
      'source ERASURE_RULE',
    ],
    [
      'the subject kept',
      'erasure: { retain: { columns: [id], basis: law, for: 1y } }',
      'retain.columns.0 ERASURE_RULE',
    ],
    [
      'kept and set to null',
      'erasure: { source: null, columns: [email], retain: { columns: [email], basis: law, for: 1y } }',
      'retain.columns.0 ERASURE_RULE',
    ],
    [
      'kept and not listed',
      'erasure: { retain: { columns: [emial], basis: law, for: 1y } }',
      'retain.columns.0 COLUMN_MISSING',
    ],
    [
      'kept and dropped',
      'erasure: { retain: { columns: [gone], basis: law, for: 1y } }',
      'retain.columns.0 COLUMN_MISSING',
    ],
    [
      'kept for hours',
      'erasure: { retain: { columns: [email], basis: law, for: 1h } }',
      'retain.for WRONG_VALUE',
    ],
    ['another word', 'erasure: { source: remove }', 'source UNKNOWN_VALUE'],
    ['another key', 'erasure: { sources: delete }', 'sources UNKNOWN_KEY'],
  ])('may not be %s', (_what, erasure, found) => {
    expect(findings(text(erasure))).toEqual([`0.yaml:5 erasure.${found}`]);
  });

  test('needs a subject', () => {
    expect(findings(text('erasure: { source: delete }', { subject: '' }))).toEqual([
      '0.yaml:4 erasure ERASURE_RULE',
    ]);
  });

  test('starts with the person’s own row, and with one kind of row only', () => {
    const path = '{ type: customer, path: [id, public.customers.id] }';
    const starts = 'erasure: { starts: true }';
    const own = text(starts);
    expect(findings(own, text(starts, { table: 'public.orders', subject: path }))).toEqual([
      '1.yaml:5 erasure.starts ERASURE_RULE',
      '1.yaml:5 erasure.starts ERASURE_RULE',
    ]);
    expect(findings(own, text(starts, { table: 'public.profiles' }))).toEqual([
      '1.yaml:5 erasure.starts ERASURE_RULE',
    ]);
    const other = '{ type: supplier, key: id }';
    expect(findings(own, text(starts, { table: 'public.profiles', subject: other }))).toEqual([]);
  });
});

test('what becomes of erased rows changes no record: the digest stays', () => {
  const contract = (erasure: string) =>
    parseContracts([{ file: 'a', text: text(erasure) }]).contracts[0]!.contract;
  const digest = (erasure: string) => deriveDataset(contract(erasure), tableOf()).digest;
  expect(digest('erasure: { source: delete, starts: true }')).toBe(digest(''));
});

test.each([
  ['10y', '2026-03-01T10:30:00.000Z', '2036-03-01T10:30:00.000Z'],
  ['1y', '2024-02-29T23:59:59.999Z', '2025-02-28T23:59:59.999Z'],
  ['4y', '2024-02-29T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
  ['1m', '2026-01-31T12:00:00.000Z', '2026-02-28T12:00:00.000Z'],
  ['18m', '2026-08-31T12:00:00.000Z', '2028-02-29T12:00:00.000Z'],
  ['90d', '2026-12-01T00:00:00.000Z', '2027-03-01T00:00:00.000Z'],
])('%s from %s on end on %s', (period, from, to) => {
  expect(retainedUntil(period, new Date(from)).toISOString()).toBe(to);
});

describe('a change of it', () => {
  const contract = (erasure?: object) =>
    contractShape.parse({
      table: 'public.orders',
      owner: 'crm',
      tier: 1,
      subject: { type: 'customer', key: 'id' },
      ...(erasure ? { erasure } : {}),
      sinks: [],
      staleness: '30s',
      columns: {},
    });
  const said = (from?: object, to?: object) =>
    contractChanges([contract(from)], [contract(to)], { topicOf: (table) => table }).map(
      ({ severity, sentence }) => `${severity}: ${sentence}`,
    );
  const retain = (columns: string[], period: string, basis = 'law') => ({
    retain: { columns, basis, for: period },
  });

  test.each<[from: object | undefined, to: object | undefined, said: string[]]>([
    [undefined, { source: 'application' }, []],
    [
      undefined,
      { source: 'delete' },
      [
        'changes: when a person is erased, the rows at the source are now deleted (was left to the application)',
      ],
    ],
    [
      { source: 'delete' },
      { source: 'null', columns: ['a', 'b'] },
      [
        'changes: when a person is erased, the rows at the source are now kept with a, b set to null (was deleted)',
      ],
    ],
    [undefined, retain(['a'], '10y'), ['exposes: when a person is erased, a for 10y is kept (was nothing)']],
    [
      retain(['a'], '10y'),
      retain(['a'], '130m'),
      ['exposes: when a person is erased, a for 130m is kept (was a for 10y)'],
    ],
    [
      retain(['a', 'b'], '10y'),
      retain(['a'], '10y'),
      ['protects: when a person is erased, a for 10y is kept (was a, b for 10y)'],
    ],
    [
      retain(['a'], '10y'),
      undefined,
      ['protects: nothing is kept of a person who is erased (was a for 10y)'],
    ],
    [
      retain(['a'], '10y'),
      retain(['a'], '10y', 'another law'),
      ['changes: the reason for which a for 10y is kept changes'],
    ],
    [
      { starts: false },
      { starts: true },
      ["changes: a delete of the person's own row now starts an erasure"],
    ],
  ])('is told: %#', (from, to, expected) => {
    expect(said(from, to)).toEqual(expected);
  });
});
