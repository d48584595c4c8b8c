import { randomBytes } from 'node:crypto';
import { aessiv } from '@noble/ciphers/aes.js';
import { FF1 } from '@noble/ciphers/ff1.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAlphabets, shortestFormatted } from '../../../schemas/format-alphabet.ts';
import { compileFormatPreserving } from '../../../transforms/format-preserving.ts';
import { compileToken } from '../../../transforms/token.ts';
import { ff1, formattedText } from '../../../verify/rules/format-preserving.ts';
import { tokenOf } from '../../../verify/rules/token.ts';

/** Samples 1 to 9 of NIST's FF1 examples for SP 800-38G: key, radix, tweak, plaintext, ciphertext. */
const key128 = '2B7E151628AED2A6ABF7158809CF4F3C';
const key192 = `${key128}EF4359D8D580AA4F`;
const key256 = `${key192}7F036D6F04FC6A94`;
const digitsTweak = '39383736353433323130';
const mixedTweak = '3737373770717273373737';
const samples = [
  [key128, 10, '', '0123456789', '2433477484'],
  [key128, 10, digitsTweak, '0123456789', '6124200773'],
  [key128, 36, mixedTweak, '0123456789abcdefghi', 'a9tv40mll9kdu509eum'],
  [key192, 10, '', '0123456789', '2830668132'],
  [key192, 10, digitsTweak, '0123456789', '2496655549'],
  [key192, 36, mixedTweak, '0123456789abcdefghi', 'xbj3kv35jrawxv32ysr'],
  [key256, 10, '', '0123456789', '6657667009'],
  [key256, 10, digitsTweak, '0123456789', '1001623463'],
  [key256, 36, mixedTweak, '0123456789abcdefghi', 'xs8a0azh2avyalyzuwd'],
] as const;

describe('format-preserving encryption', () => {
  it.each(samples)(
    'is FF1 by its published samples: %s, radix %i, tweak %s',
    (key, radix, tweak, plain, sealed) => {
      const numerals = Array.from(plain, (c) => Number.parseInt(c, radix));
      const text = (found: readonly number[]) => found.map((n) => n.toString(radix)).join('');
      const secret = Buffer.from(key, 'hex');
      expect(text(FF1(radix, secret, Buffer.from(tweak, 'hex')).encrypt(numerals))).toBe(sealed);
      expect(text(ff1(secret, radix, numerals, Buffer.from(tweak, 'hex')))).toBe(sealed);
    },
  );

  it('is what the oracle makes of the same text, keeps its shape, and can be undone', () => {
    const alphabets = Object.keys(formatAlphabets) as (keyof typeof formatAlphabets)[];
    const cases = fc.constantFrom(...alphabets).chain((alphabet) =>
      fc.tuple(
        fc.constant(alphabet),
        fc.array(fc.constantFrom(...Array.from(formatAlphabets[alphabet]), ' ', '-', '.'), {
          maxLength: 40,
        }),
      ),
    );
    fc.assert(
      fc.property(cases, ([alphabet, characters]) => {
        const key = randomBytes(32);
        const all: string = formatAlphabets[alphabet];
        const padding = all.slice(0, 6);
        const text = padding + characters.join('');
        const sealed = compileFormatPreserving('c', alphabet, key)(text);
        expect(sealed).toBe(formattedText(key, alphabet, text));
        const own = (t: string) => Array.from(t, (c) => all.indexOf(c)).filter((i) => i >= 0);
        expect(FF1(all.length, key).decrypt(own(sealed))).toEqual(own(text));
        expect(Array.from(sealed, (c) => (all.includes(c) ? 'x' : c))).toEqual(
          Array.from(text, (c) => (all.includes(c) ? 'x' : c)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['digits', 6],
    ['lower', 5],
    ['upper-alphanumeric', 4],
    ['alphanumeric', 4],
  ] as const)('needs a domain of a million values: %s %i', (alphabet, length) => {
    const { length: radix } = formatAlphabets[alphabet];
    expect(shortestFormatted(alphabet)).toBe(length);
    expect(radix ** length).toBeGreaterThanOrEqual(1_000_000);
    expect(radix ** (length - 1)).toBeLessThan(1_000_000);
  });

  it.each([
    ['too short a number', '12345'],
    ['a letter among digits', 'DE1234567'],
    ['digits of another script', '١٢٣٤٥٦٧'],
    ['a letter with a mark', '1234567é'],
  ])('refuses %s without saying it', (_what, text) => {
    const act = compileFormatPreserving('card', 'digits', randomBytes(32));
    const thrown = (() => {
      try {
        act(text);
        return undefined;
      } catch (error) {
        return error as Error;
      }
    })();
    expect(thrown).toMatchObject({ code: 'VALUE_UNPROTECTABLE' });
    expect(thrown!.message).not.toContain(text);
  });
});

describe('a token', () => {
  it('is AES-SIV by RFC 5297, appendix A.1', () => {
    const key = Buffer.from('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex');
    const associated = Buffer.from('101112131415161718191a1b1c1d1e1f2021222324252627', 'hex');
    const sealed = aessiv(key, associated).encrypt(Buffer.from('112233445566778899aabbccddee', 'hex'));
    expect(Buffer.from(sealed).toString('hex')).toBe(
      '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c',
    );
  });

  it('is what the oracle makes of the same text, and can be opened', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
        const key = randomBytes(64);
        const token = compileToken(key)(text);
        expect(token).toBe(tokenOf(key, text));
        const opened = aessiv(key).decrypt(Buffer.from(token, 'base64url'));
        expect(Buffer.from(opened).toString('utf8')).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});
