import * as fc from 'fast-check';

const invisible = ['\u00AD', '\u200B', '\u200C', '\u200D', '\u2060', '\uFEFF'];
const zeros = [0xff10, 0x660, 0x6f0, 0x966, 0x1d7ec];

/** Other ways to write the same: digits of other scripts, no-break spaces and hyphens, hidden characters, normal forms. */
export const disguise: fc.Arbitrary<(item: string) => string> = fc
  .record({
    zero: fc.option(fc.constantFrom(...zeros)),
    space: fc.constantFrom(' ', '\u00A0', '\u202F'),
    hyphen: fc.constantFrom('-', '\u2011', '\u2013'),
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
