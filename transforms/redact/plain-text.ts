import { placeholders } from '../../schemas/redaction.ts';

/** A text in the form that the detectors read (docs/redaction.md, "What is read"). */
export interface PlainText {
  readonly text: string;
  /** Where the character at an index of `text` starts in the original, in UTF-16 units. */
  start(index: number): number;
  /** Where it ends. */
  end(index: number): number;
}

/** Stands for a placeholder of the original: no letter, no digit, no separator. */
export const opaque = '\uFFFC';

const placeholder = new RegExp(
  Object.values(placeholders)
    .map((shown) => shown.replaceAll(/[[\]]/g, '\\$&'))
    .join('|'),
  'y',
);
const special = /[[\u0080-\u{10FFFF}]/gu;
const invisible = /^\p{Default_Ignorable_Code_Point}$/u;
const decimalDigit = /^\p{Nd}$/u;
const hyphen = /^[\u2010-\u2015\u2212\uFE58\uFE63]$/;

/** The form of an original that detectors read, with the way back. */
export function plainText(original: string): PlainText {
  const specials = [...original.matchAll(special)];
  // Case is the only thing to change in the rest, and changes no length.
  if (specials.length === 0) return { text: original.toUpperCase(), start: (i) => i, end: (i) => i + 1 };
  let text = '';
  let position = 0;
  // The form is never longer than the original.
  const starts = new Int32Array(original.length);
  const ends = new Int32Array(original.length);
  const takeOrdinary = (to: number): void => {
    for (let from = position, at = text.length; from < to; from++, at++) {
      starts[at] = from;
      ends[at] = from + 1;
    }
    text += original.slice(position, to).toUpperCase();
    position = to;
  };
  for (const { 0: character, index } of specials) {
    // What a placeholder holds has been read with it.
    if (index < position) continue;
    takeOrdinary(index);
    placeholder.lastIndex = index;
    const isPlaceholder = placeholder.test(original);
    const plain = isPlaceholder ? opaque : plainCharacter(character.codePointAt(0)!);
    position = isPlaceholder ? placeholder.lastIndex : index + character.length;
    // Both halves of a surrogate pair stand for the whole of it.
    starts.fill(index, text.length, text.length + plain.length);
    ends.fill(position, text.length, text.length + plain.length);
    text += plain;
  }
  takeOrdinary(original.length);
  return { text, start: (i) => starts[i]!, end: (i) => ends[i]! };
}

function plainCharacter(code: number): string {
  const ascii = code >= 0xff01 && code <= 0xff5e ? code - 0xfee0 : code;
  const character = String.fromCodePoint(ascii);
  if (ascii < 0x80) return character.toUpperCase();
  if (invisible.test(character)) return '';
  if (decimalDigit.test(character)) return String(digitValue(code));
  if (/^\p{Zs}$/u.test(character)) return ' ';
  return hyphen.test(character) ? '-' : character;
}

/**
 * Unicode keeps decimal digits in rows of ten from zero on (The Unicode Standard, section 4.6); where rows meet, as in
 * the mathematical digits, the number of digits before is a multiple of ten.
 */
function digitValue(code: number): number {
  let before = 0;
  while (decimalDigit.test(String.fromCodePoint(code - before - 1))) before++;
  return before % 10;
}
