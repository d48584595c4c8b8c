import { FF1 } from '@noble/ciphers/ff1.js';
import { LetheError } from '../schemas/errors.ts';
import {
  formatAlphabets,
  type FormatAlphabet,
  longestFormatted,
  shortestFormatted,
} from '../schemas/format-alphabet.ts';

const letterOrDigit = /[\p{L}\p{M}\p{N}]/u;

/**
 * Format-preserving encryption: FF1 of NIST SP 800-38G with AES-256 and an empty tweak, over the value's characters that are of the
 * alphabet; spaces and punctuation stay where they are. A letter or digit of no alphabet would stay readable, and too few
 * characters would be a domain to search through: such a value throws VALUE_UNPROTECTABLE. An empty one has nothing to hide.
 */
export function compileFormatPreserving(
  column: string,
  alphabet: FormatAlphabet,
  key: Buffer,
): (text: string) => string {
  const characters: string = formatAlphabets[alphabet];
  const digits = new Map(Array.from(characters, (character, i) => [character, i]));
  const shortest = shortestFormatted(alphabet);
  const cipher = FF1(characters.length, key);
  const refuse = (why: string) =>
    new LetheError('VALUE_UNPROTECTABLE', `a value of column ${column} ${why}, for format-preserving`);
  return (text) => {
    if (text === '') return text;
    const points = Array.from(text);
    const numerals: number[] = [];
    for (const point of points) {
      const numeral = digits.get(point);
      if (numeral !== undefined) numerals.push(numeral);
      else if (letterOrDigit.test(point)) throw refuse(`has letters or digits that are not ${alphabet}`);
    }
    if (numerals.length < shortest) throw refuse(`has fewer than ${shortest} ${alphabet}`);
    if (numerals.length > longestFormatted) throw refuse(`has more than ${longestFormatted} characters`);
    const encrypted = cipher.encrypt(numerals);
    let next = 0;
    return points.map((point) => (digits.has(point) ? characters[encrypted[next++]!]! : point)).join('');
  };
}
