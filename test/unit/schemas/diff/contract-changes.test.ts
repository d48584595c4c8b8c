import { describe, expect, it, test } from 'vitest';
import { contractShape, type Contract } from '../../../../schemas/contract.ts';
import { contractChanges } from '../../../../schemas/diff/contract-changes.ts';

const names = { topicOf: (table: string) => `clean.${table}` };
const readers = 'consumers of clean.public.customers';
const later = '(lethe plan says how)';

function contractOf(columns: Record<string, unknown>, rest: Partial<Contract> = {}): Contract {
  return contractShape.parse({
    table: 'public.customers',
    owner: 'crm',
    tier: 1,
    subject: { type: 'customer', key: 'id' },
    sinks: ['clickhouse'],
    staleness: '30s',
    ...rest,
    columns,
  });
}

const classified = (rule: object): object => ({ classification: 'person.contact', ...rule });

/** What is said of the one column `x`, given without its classification; undefined: not named. */
function said(from: object | undefined, to: object | undefined): string[] {
  const [before, after] = [from, to].map((rule) => contractOf(rule ? { x: classified(rule) } : {}));
  return contractChanges([before!], [after!], names).map(
    ({ severity, sentence }) => `${severity}: ${sentence}`,
  );
}

const keep = { action: 'keep' };
const drop = { action: 'drop' };
const encrypt = { action: 'encrypt' };
const hash = { action: 'hash' };
const mask = (keepStart: number, keepEnd: number) => ({ action: 'mask', keepStart, keepEnd });

describe('a column', () => {
  test.each<[from: object | undefined, to: object | undefined, said: string[]]>([
    [
      encrypt,
      keep,
      [
        `exposes: x becomes readable to ${readers} (was encrypt)`,
        'changes: the field x changes its type from bytes (ciphertext) to that of the source',
      ],
    ],
    [undefined, keep, ['exposes: a new column x passes as it is']],
    [undefined, mask(0, 2), ['exposes: a new column x passes in part: mask, keepEnd 2']],
    [undefined, encrypt, ["exposes: a new column x passes: encrypted under the person's key"]],
    [undefined, drop, ['changes: x is now named: drop, and as before nothing of it passes']],
    [drop, undefined, ['changes: x is no longer named, and as before nothing of it passes']],
    [drop, { action: 'null' }, ['changes: x becomes null (was drop)']],
    [mask(0, 2), mask(0, 6), ['exposes: x: the mask now shows 6 instead of 2 characters']],
    [
      mask(0, 6),
      mask(0, 2),
      [
        `protects: x: the mask now shows 2 instead of 6 characters; values already delivered stay readable until they are replaced ${later}`,
      ],
    ],
    [
      mask(2, 0),
      mask(0, 2),
      [
        `exposes: x: other parts of it become readable to ${readers}: mask, keepEnd 2 (was mask, keepStart 2)`,
      ],
    ],
    [mask(0, 0), mask(0, 1), ['exposes: x: the mask now shows 1 instead of 0 characters']],
    [
      { action: 'redact', kinds: ['email', 'phone'] },
      { action: 'redact', kinds: ['email'] },
      [
        `exposes: x becomes readable in part to ${readers}: redact, kinds email (was redact, kinds email and phone)`,
      ],
    ],
    [
      keep,
      { action: 'redact' },
      [
        `protects: x is readable only in part: redact (was keep); values already delivered stay readable until they are replaced ${later}`,
      ],
    ],
    [
      { action: 'truncate', keep: 3 },
      { action: 'truncate', keep: 5 },
      ['exposes: x: the first 5 instead of 3 characters now pass'],
    ],
    [
      { action: 'generalise', to: 'month' },
      { action: 'generalise', to: 'day' },
      ['exposes: x becomes finer: generalise, to day (was generalise, to month)'],
    ],
    [
      { action: 'generalise', to: 10 },
      { action: 'generalise', to: 100 },
      [
        `protects: x becomes coarser: generalise, to 100 (was generalise, to 10); values already delivered stay readable until they are replaced ${later}`,
      ],
    ],
    [
      { action: 'generalise', to: 'network', v4: 8 },
      { action: 'generalise', to: 'network' },
      ['exposes: x becomes finer: generalise, to network (was generalise, to network, v4 8)'],
    ],
    [
      keep,
      encrypt,
      [
        'changes: the field x changes its type from that of the source to bytes (ciphertext)',
        `protects: x is no longer readable: encrypted under the person's key (was keep); values already delivered stay readable until they are replaced ${later}`,
      ],
    ],
    [
      keep,
      undefined,
      [
        'changes: the field x goes away: who reads it must do without',
        `protects: x no longer passes (was keep); values already delivered stay readable until they are replaced ${later}`,
      ],
    ],
    [
      hash,
      encrypt,
      [
        'changes: the field x changes its type from text (a pseudonym) to bytes (ciphertext)',
        `protects: x tells less: encrypted under the person's key (was hash); values already delivered stay as they are until they are replaced ${later}`,
      ],
    ],
    [
      encrypt,
      hash,
      [
        `exposes: x now reaches ${readers} as a pseudonym, the same for equal values (was encrypt)`,
        'changes: the field x changes its type from bytes (ciphertext) to text (a pseudonym)',
      ],
    ],
    [
      hash,
      { ...hash, domain: 'mail' },
      ["changes: x: all its pseudonyms change (domain mail, was each person's own key)"],
    ],
    [
      { action: 'format-preserving' },
      { action: 'format-preserving', alphabet: 'lower' },
      ['changes: x becomes format-preserving, alphabet lower (was format-preserving, alphabet digits)'],
    ],
  ])('%j -> %j', (from, to, sentences) => {
    expect(said(from, to)).toEqual(sentences);
  });

  it('names the place within a json value that becomes readable, and no other', () => {
    const paths = (inner: object) => ({ action: 'paths', paths: inner });
    const language = { language: keep };
    expect(said(paths(language), paths({ ...language, 'address.city': keep }))).toEqual([
      `exposes: x: address.city becomes readable to ${readers} (did not pass)`,
    ]);
    expect(said(paths({ 'address.*': keep }), paths({ 'address.city': keep, 'address.*': keep }))).toEqual([
      'changes: x becomes paths, address.city and address.* (was paths, address.*)',
    ]);
    expect(
      said(encrypt, paths({ 'address.city': keep })).filter((line) => !line.startsWith('changes')),
    ).toEqual([
      `exposes: x: address.city becomes readable to ${readers} (was encrypt)`,
      `protects: x: whatever no path names no longer passes (was encrypt); values already delivered stay as they are until they are replaced ${later}`,
    ]);
  });

  it('is told where its classification is lowered, of a path too', () => {
    const before = contractOf({ x: { classification: 'content.free-text', action: 'keep' } });
    const after = contractOf({ x: { classification: 'internal', action: 'keep' } });
    expect(contractChanges([before], [after], names)).toEqual([
      {
        table: 'public.customers',
        column: 'x',
        severity: 'exposes',
        from: 'content.free-text',
        to: 'internal',
        sentence: 'classification of x is lowered from content.free-text to internal',
      },
    ]);
    expect(contractChanges([after], [before], names)).toMatchObject([{ severity: 'changes' }]);
  });
});

describe('a domain', () => {
  const orders = (rule: object): Contract =>
    contractOf({ contact_email: classified(rule) }, { table: 'public.orders' });

  it('tells what can be joined now, at the column that was changed for it', () => {
    const shared = { ...hash, domain: 'shared' };
    const before = [contractOf({ email: classified(hash) }), orders(shared)];
    const after = [contractOf({ email: classified(shared) }), orders(shared)];
    expect(contractChanges(before, after, names)).toMatchObject([
      {
        column: 'email',
        severity: 'exposes',
        sentence: 'domain shared: email can now be joined with public.orders.contact_email',
      },
      { column: 'email', severity: 'changes', from: 'hash', to: 'hash, domain shared' },
    ]);
    expect(contractChanges(after, before, names)).toMatchObject([
      { severity: 'changes' },
      { severity: 'protects', sentence: 'email can no longer be joined with public.orders.contact_email' },
    ]);
  });

  it('joins nothing across actions, whose keys differ', () => {
    const tokenise = { action: 'tokenise', domain: 'shared' };
    const before = [contractOf({ email: classified(tokenise) })];
    const after = [...before, orders({ ...hash, domain: 'shared' })];
    expect(
      contractChanges(before, after, names).filter(({ sentence }) => sentence.includes('joined')),
    ).toEqual([]);
  });
});

describe('a contract', () => {
  const columns = { x: classified(encrypt) };

  it('that is new is told with each of its columns', () => {
    expect(
      contractChanges([], [contractOf({ ...columns, y: classified(drop) })], names).map((c) => c.sentence),
    ).toEqual([
      'public.customers is now covered: its rows reach clean.public.customers, clickhouse',
      "a new column x passes: encrypted under the person's key",
      'y is now named: drop, and as before nothing of it passes',
    ]);
  });

  it('that is gone is told once: what was delivered outlives the person’s wish', () => {
    expect(contractChanges([contractOf(columns)], [], names)).toMatchObject([
      { severity: 'exposes', from: 'public.customers', to: null },
    ]);
  });

  it.each<[Partial<Contract>, string, string]>([
    [
      { sinks: ['clickhouse', 'elasticsearch'] },
      'exposes',
      'clean.public.customers now also feeds elasticsearch',
    ],
    [
      { sinks: [] },
      'protects',
      'clean.public.customers no longer feeds clickhouse; what it has stays there, as it is',
    ],
    [
      { subject: { type: 'person', key: 'id' } },
      'changes',
      'a row is now about person by id (was customer by id): what is made with their own keys is from now on under others',
    ],
    [{ owner: 'sales' }, 'changes', 'the owner is sales (was crm)'],
    [{ tier: 0 }, 'changes', 'the tier is 0 (was 1)'],
    [{ staleness: '1m' }, 'changes', 'stores may now be 1m old (was 30s)'],
  ])('whose %j is another', (rest, severity, sentence) => {
    const changes = contractChanges([contractOf(columns)], [contractOf(columns, rest)], names);
    expect(changes.map((change) => [change.severity, change.sentence])).toEqual([[severity, sentence]]);
  });

  const listed = (...values: string[]) => ({ where: [{ column: 'x', in: values }] });
  it.each<[Partial<Contract>, Partial<Contract>, string, string]>([
    [
      listed('a', 'b'),
      {},
      'exposes',
      'other rows pass than before: whatever x holds (was x one of 2 values)',
    ],
    [
      listed('a'),
      listed('a', 'b'),
      'exposes',
      'other rows pass than before: x one of 2 values (was x one of 1 value)',
    ],
    [
      listed('a', 'b'),
      listed('b'),
      'protects',
      'fewer rows pass: only with x one of 1 value; the others are deleted downstream',
    ],
    [
      listed('a'),
      { where: [{ column: 'x', notIn: ['b'] }] },
      'exposes',
      'other rows pass than before: x none of 1 value (was x one of 1 value)',
    ],
    [
      { where: [{ column: 'x', is: 'present' }] },
      listed('a'),
      'protects',
      'fewer rows pass: only with x one of 1 value; the others are deleted downstream',
    ],
    [
      {},
      { consent: { purpose: 'mail', column: 'x', granted: [true] } },
      'protects',
      'rows of people pass only with consent to mail by x',
    ],
    [
      { consent: { purpose: 'mail', column: 'x', granted: [true] } },
      {},
      'exposes',
      'rows of people pass without consent to mail by x',
    ],
    [
      { consent: { purpose: 'mail', column: 'x', granted: ['yes'] } },
      { consent: { purpose: 'mail', column: 'x', granted: ['yes', 'maybe'] } },
      'exposes',
      'rows of people pass who had not given consent to mail by x: what means yes is another column or more values',
    ],
    [
      { consent: { purpose: 'mail', column: 'x', granted: [true] } },
      { consent: { purpose: 'ads', column: 'x', granted: [true] } },
      'changes',
      'the purpose is ads (was mail)',
    ],
    [{}, { unclassified: 'halt' }, 'changes', 'a column in no contract now makes the table wait'],
  ])('with %j that becomes %j lets other rows pass', (before, after, severity, sentence) => {
    const changes = contractChanges([contractOf(columns, before)], [contractOf(columns, after)], names);
    expect(changes.map((change) => [change.severity, change.sentence])).toEqual([[severity, sentence]]);
  });

  it('that sends a column to another store, or lets it be searched by, is told', () => {
    const sinks: Contract['sinks'] = ['clickhouse', 'elasticsearch'];
    const one = contractOf(
      { x: classified({ ...encrypt, sinks: ['clickhouse'], searchable: false }) },
      { sinks },
    );
    const all = contractOf({ x: classified(encrypt) }, { sinks });
    expect(
      contractChanges([one], [all], names).map(({ severity, sentence }) => `${severity}: ${sentence}`),
    ).toEqual([
      'exposes: x now also reaches elasticsearch',
      'changes: x can now be searched by in Elasticsearch',
    ]);
    expect(contractChanges([all], [one], names).map(({ severity }) => severity)).toEqual([
      'changes',
      'protects',
    ]);
  });

  it('with the worst change stands first, and in it the worst', () => {
    const other = (rule: object): Contract => contractOf({ a: classified(rule) }, { table: 'public.a' });
    const before = [other(keep), contractOf({ x: classified(keep), y: classified(encrypt) })];
    const after = [
      other(encrypt),
      contractOf({ x: classified(encrypt), y: classified(keep) }, { owner: 'sales' }),
    ];
    expect(
      contractChanges(before, after, names).map(({ table, severity }) => `${table} ${severity}`),
    ).toEqual([
      'public.customers exposes',
      'public.customers changes',
      'public.customers changes',
      'public.customers changes',
      'public.customers protects',
      'public.a changes',
      'public.a protects',
    ]);
  });
});
