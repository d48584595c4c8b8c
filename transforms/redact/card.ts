import { isLuhnValid } from './luhn.ts';
import type { Span } from './span.ts';

const shortest = 12;
const longest = 19;

/**
 * Card numbers (ISO/IEC 7812-1): any whole groups in a row, so that a number is found with its security code or expiry
 * behind it; never a part of a group.
 */
export function cardSpans(plain: string): Span[] {
  const spans: Span[] = [];
  for (const row of plain.matchAll(/\d+(?:[ -]\d+)*/g)) {
    const groups = [...row[0].matchAll(/\d+/g)];
    for (let first = 0; first < groups.length; first++) {
      let digits = '';
      for (let last = first; last < groups.length; last++) {
        const group = groups[last]!;
        if (digits.length + group[0].length > longest) break;
        digits += group[0];
        if (digits.length < shortest || !isLuhnValid(digits)) continue;
        const from = row.index + groups[first]!.index;
        spans.push({ from, to: row.index + group.index + group[0].length, kind: 'card' });
      }
    }
  }
  return spans;
}
