import * as fc from 'fast-check';

const invisible = ['\u00AD', '\u200B', '\u200C', '\u200D', '\u2060', '\uFEFF'];
const zeros = [0xff10, 0x660, 0x6f0, 0x966, 0x1d7ec];

/** Other ways to write the same: digits of other scripts, no-break spaces and hyphens, hidden characters, normal forms. */
export const disguise: fc.Arbitrary<(item: string) => string> = fc
  .record({
    zero: fc.option(fc.constantFrom(...zeros)),
    space: fc.constantFrom(...Array.from(' \u00A0\u2007\u202F\u3000')),
    hyphen: fc.constantFrom(...Array.from('-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uFE58\uFE63\uFF0D')),
    hidden: fc.option(fc.constantFrom(...invisible)),
    form: fc.constantFrom('NFC', 'NFD'),
  })
  .map(({ zero, space, hyphen, hidden, form }) => (item) => {
    const shown = item
      .normalize(form)
      .replaceAll(' ', space)
      .replaceAll('-', hyphen)
      .replaceAll(/\d/g, (digit) => (zero === null ? digit : String.fromCodePoint(zero + Number(digit))));
    return hidden === null ? shown : Array.from(shown).join(hidden);
  });
