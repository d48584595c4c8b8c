import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RedactionKind, redactionKinds } from '../../../../schemas/redaction.ts';
import { redactText } from '../../../../transforms/redact/redact-text.ts';
import { redactedText } from '../../../../verify/rules/redact.ts';
import { disguise } from './disguise.ts';
import { itemsOf, people } from './items.ts';
import { mixed } from './mixed-texts.ts';

const seed = Number(process.env['FC_SEED'] ?? Date.now() & 0x7fffffff);
console.log(`seed ${seed}`);

/** Words that are no part of any item: no one's name, no digits. */
const word = fc.constantFrom('wrote', 'to', 'ünser', 'Kunde', 'thanks', 'ждёт', 'at', 'für', 'is', 'cafés');
const punctuation = fc.constantFrom(' ', ', ', '. ', '! ', ': ', '; ', ' (', '\n', '\t', ' - ', ' “');
const prose = fc
  .array(fc.tuple(word, punctuation), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.flat().join(''));

/** What is left of an item whatever stands between its letters and digits; an address is nothing without its colons. */
const bare = (text: string, kind: RedactionKind): string =>
  text
    .normalize('NFKD')
    .toUpperCase()
    .replaceAll(kind === 'ip' ? /[^\p{L}\p{Nd}:.]/gu : /[^\p{L}\p{Nd}]/gu, '');

const anyKinds = fc.oneof(
  { weight: 3, arbitrary: fc.constant([...redactionKinds]) },
  fc.subarray([...redactionKinds]),
);

const planted = fc.constantFrom(...redactionKinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    item: itemsOf[kind],
    disguise: fc.oneof(
      fc.constant((item: string) => item),
      disguise,
    ),
    before: prose,
    after: prose,
    others: anyKinds,
  }),
);

describe('redaction', { timeout: 300_000 }, () => {
  it('lets no planted item survive', () => {
    fc.assert(
      fc.property(planted, ({ kind, item, disguise, before, after, others }) => {
        const text = `${before}${disguise(item)} ${after}`;
        const result = redactText(text, new Set([kind, ...others]), people);
        expect(bare(result, kind)).not.toContain(bare(item, kind));
        expect(result).toMatch(/\[(?:email|phone|card|iban|national-id|ip|name)\]/);
      }),
      { seed, numRuns: 5_000 },
    );
  });

  it('leaves the words around an item as they are', () => {
    fc.assert(
      fc.property(planted, ({ kind, item, disguise, before, after }) => {
        const result = redactText(`${before}“${disguise(item)}” ${after}`, new Set([kind]), people);
        expect(result.startsWith(`${before}“`)).toBe(true);
        expect(result.endsWith(`” ${after}`)).toBe(true);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('leaves a text without items as it is', () => {
    const number = fc.integer({ min: 0, max: 999_999 }).map(String);
    const piece = fc.oneof(
      prose,
      fc.tuple(number, prose).map((parts) => parts.join(' pieces ')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = pieces.join('');
        expect(redactText(text, new Set(redactionKinds), people)).toBe(text);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it('is what the oracle works out by itself, and redacting it again changes nothing', () => {
    let redacted = 0;
    fc.assert(
      fc.property(mixed, anyKinds, fc.subarray(people), (text, kinds, names) => {
        const asked: ReadonlySet<RedactionKind> = new Set(kinds);
        const result = redactText(text, asked, names);
        expect(result).toBe(redactedText(text, asked, names));
        expect(redactText(result, asked, names)).toBe(result);
        if (result !== text) redacted++;
      }),
      { seed, numRuns: 20_000 },
    );
    expect(redacted).toBeGreaterThan(8_000);
  });

  it('reads every decimal digit of Unicode as its value', () => {
    const digits = Array.from({ length: 0x11_0000 }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter((character) => /\p{Nd}/u.test(character));
    expect(digits.length).toBeGreaterThan(600);
    const cards = new Set(['card'] as const);
    // Ten card numbers that differ in one digit and in the check digit; each place of the ten has another.
    const checks = ['6', '4', '2', '0', '8', '5', '3', '1', '9', '7'];
    for (const [i, digit] of digits.entries()) {
      const shown = `411111111111${digit}${checks[i % 10]}`;
      expect(redactText(shown, cards, [])).toBe('[card]');
      expect(redactedText(shown, cards, [])).toBe('[card]');
    }
  });
});
