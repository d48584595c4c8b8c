import { opaque } from './plain-text.ts';
import type { Span } from './span.ts';

const line = /\d+(?:(?:[ ./()-]{1,3}|,)\d+)*/g;
const fewestDigits = 7;

/** Phone numbers: whatever has digits enough (E.164 allows 15) and is no date, time or amount. */
export function phoneSpans(plain: string): Span[] {
  const text = withoutOtherNumbers(plain);
  return [...text.matchAll(line)].flatMap(({ 0: found, index }) => {
    if (text[index - 1] !== '+' && amounts.test(found)) return [];
    return [...found.matchAll(/[^,]+/g)].flatMap(({ 0: part, index: offset }) => {
      if (part.replaceAll(/\D/g, '').length < fewestDigits) return [];
      const from = prefixStart(text, index + offset, part);
      return [{ from, to: index + offset + part.length, kind: 'phone' as const }];
    });
  });
}

/** Where a number starts with the plus sign before it, and with a bracket that is closed within it. */
function prefixStart(text: string, first: number, part: string): number {
  const open = part.split(')').length > part.split('(').length;
  const prefix = text.slice(Math.max(0, first - 2), first);
  return first - (open ? /(?:\(\+|\+\(|\(|\+)?$/ : /\+?$/).exec(prefix)![0].length;
}

const day = String.raw`(?:0?[1-9]|[12]\d|3[01])`;
const year = String.raw`(?:19|20)\d\d`;
const otherNumbers: readonly RegExp[] = [
  // Dates: the year first (ISO 8601), or last.
  new RegExp(String.raw`(?<!\d|\d[./-])${year}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d|[./-]\d)`, 'g'),
  new RegExp(String.raw`(?<!\d|\d[./-])${day}([./-])${day}\1${year}(?!\d|[./-]\d)`, 'g'),
  // Times of day.
  /(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?![\d:])/g,
  // Rows of digits that are longer than any phone number.
  /\d{16,}/g,
];

/** The same text with something opaque where numbers of other kinds stand. */
function withoutOtherNumbers(plain: string): string {
  const found = otherNumbers.flatMap((pattern) => [...plain.matchAll(pattern)]);
  let text = '';
  for (const { 0: number, index } of found.toSorted((a, b) => a.index - b.index)) {
    // A time may start with the last digits of a date.
    if (index > text.length) text += plain.slice(text.length, index);
    text += opaque.repeat(Math.max(0, index + number.length - text.length));
  }
  return text + plain.slice(text.length);
}

const amount = [
  String.raw`(?:0|[1-9]\d{0,8})[.,]\d{1,2}`,
  String.raw`[1-9]\d{0,2}(?: \d{3})+[.,]\d{1,2}`,
  String.raw`[1-9]\d{0,2}(?:\.\d{3})+,\d{1,2}`,
  String.raw`[1-9]\d{0,2}(?:,\d{3})+\.\d{1,2}`,
].join('|');
const amounts = new RegExp(`^(?:${amount})(?:[ -]{1,3}(?:${amount}))*$`);
