import { describe, expect, it } from 'vitest';
import { areLabels, classifyValues } from '../../../../connectors/suggest/classify-values.ts';
import { looksOf, looksOfNumber } from '../../../../connectors/suggest/value-looks.ts';

const examples: Readonly<Record<string, readonly string[]>> = {
  email: [
    'ada@example.org',
    'write to <a.b+c@sub.example.co.uk>!',
    '{"to":"müller@exämple.de"}',
    'root@localhost',
  ],
  phone: [
    '+49 170 1234567',
    '(415) 555-2671',
    '030/1234567',
    '4155552671',
    'call 0041 44 668 18 00',
    '{+33612345678}',
  ],
  card: ['4111 1111 1111 1111', '5500-0000-0000-0004', '378282246310005', 'paid with 6011111111111117 today'],
  iban: ['DE89370400440532013000', 'GB29 NWBK 6016 1331 9268 19', '{"iban":"fr1420041010050500013m02606"}'],
  network: ['192.168.17.4', 'from 2001:db8::ff00:42:8329', '::1', 'fe80::1', '00:1B:44:11:3A:B7'],
  nationalId: ['078-05-1120', 'AB123456C', 'RSSMRA85T10A562S', '12345678Z', '390.533.447-05'],
  personName: ['Ada Lovelace', 'Lovelace, Ada', 'Ludwig van Beethoven', 'MÜLLER HANS', '["José Núñez"]'],
  street: [
    '12 Elm Street',
    'Hauptstraße 5',
    '5 rue de la Paix',
    'Kerkstraat 12',
    'ul. Długa 3',
    'Via Roma 1',
  ],
  jwt: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N'],
  login: ['https://ada:lovelace@host.example/path', 'amqp://user:pw@10.0.0.1'],
  token: ['sk_live_4eC39HqLyjWDarjtT1zdp7dc', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'],
  uuid: ['550e8400-e29b-41d4-a716-446655440000'],
};

describe('a value', () => {
  const cases = Object.entries(examples).flatMap(([look, values]) =>
    values.map((value) => [look, value] as const),
  );
  it.each(cases)('looks like %s: %s', (look, value) => {
    expect([...looksOf(value)]).toContain(look);
  });

  it.each([
    'active',
    'whole bean',
    'DE',
    'EUR',
    '2024-01-31',
    '2024-01-31 12:00:00',
    '10:30',
    'ETHI-000123',
    '12.50',
    '',
  ])('looks like nothing personal: %s', (value) => {
    expect([...looksOf(value)]).toEqual([]);
  });

  it('is one thing where another is part of it', () => {
    expect([...looksOf('550e8400-e29b-41d4-a716-446655440000')]).toEqual(['uuid']);
    expect([...looksOf('10.250.170.203')]).toEqual(['network']);
    expect([...looksOf('4111 1111 1111 1111')]).toEqual(['card']);
  });

  it('that is a number may be a card or a phone', () => {
    expect([...looksOfNumber('4111111111111111')]).toEqual(['card']);
    expect([...looksOfNumber('4155552671.00')]).toEqual(['phone']);
    expect([...looksOfNumber('20240131')]).toEqual([]);
  });

  it('of two thousand characters is looked at in no time', () => {
    const started = performance.now();
    for (const part of ['a', '1', '1 ', 'a@', ':', 'A1', 'DE89', 'Aa ', '@', '1.', 'a-']) {
      looksOf(part.repeat(2048 / part.length));
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('values of a column', () => {
  const labels = Array.from({ length: 120 }, (_, i) => ['placed', 'paid', 'sent'][i % 3]!);

  it('are labels where few short ones come again and again', () => {
    expect(areLabels(classifyValues('text', labels))).toBe(true);
  });

  it.each([
    ['too few rows', labels.slice(0, 99)],
    ['one that comes once', [...labels, 'other']],
    ['one that looks personal', [...labels, 'ada@example.org', 'ada@example.org']],
    ['a long one', [...labels, 'x'.repeat(41), 'x'.repeat(41)]],
    ['many different ones', Array.from({ length: 200 }, (_, i) => `label ${i % 21}`)],
  ])('are no labels with %s', (_why, values) => {
    expect(areLabels(classifyValues('text', values))).toBe(false);
  });
});
