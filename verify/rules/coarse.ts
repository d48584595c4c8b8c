import { VerifyError } from '../verify-error.ts';
import type { Kind } from './kind.ts';
import { isInfinity } from './source-text.ts';

/** The first code points of a text. */
export function firstPoints(text: string, count: number): string {
  let first = '';
  let left = count;
  for (const point of text) {
    if (left-- === 0) break;
    first += point;
  }
  return first;
}

/**
 * What Postgres would print for a value made coarse, from what it prints for the value (time zone UTC, ISO dates): a time
 * at the start of its year, month or day, a number at the multiple of `to` that is next towards zero.
 */
export function coarseText(kind: Kind, text: string, to: string | number): string {
  if (isInfinity(text) || text === 'NaN' || text === 'Infinity' || text === '-Infinity') return text;
  return typeof to === 'string' ? periodText(kind, text, to) : bandText(text, to);
}

const stamp = /^(\d+)-(\d\d)-(\d\d)( \d\d:\d\d:\d\d(?:\.\d+)?(\+00)?)?( BC)?$/;

function periodText(kind: Kind, text: string, to: string): string {
  const m = stamp.exec(text);
  if (!m) throw new VerifyError('DATA_MALFORMED', `not a ${kind}`);
  const [, year, month, day, time, zone = '', era = ''] = m;
  const date = [year, to === 'year' ? '01' : month, to === 'day' ? day : '01'].join('-');
  return date + (time === undefined ? '' : ` 00:00:00${zone}`) + era;
}

/** With as many decimals as the value or the step has, whichever has more. */
function bandText(text: string, to: number): string {
  const exponent = /e([+-]?\d+)$/.exec(text)?.[1];
  const digits = exponent === undefined ? text : shift(text.slice(0, text.indexOf('e')), Number(exponent));
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.');
  const [wholeStep = '', fractionStep = ''] = String(to).split('.');
  const decimals = Math.max(fraction.length, fractionStep.length);
  const value = BigInt(whole + fraction.padEnd(decimals, '0'));
  const step = BigInt(wholeStep + fractionStep.padEnd(decimals, '0'));
  const band = value - (value % step);
  const shown = band.toString().padStart(decimals + 1, '0');
  const sign = digits.startsWith('-') && band !== 0n ? '-' : '';
  const point = shown.length - decimals;
  return sign + shown.slice(0, point) + (decimals === 0 ? '' : `.${shown.slice(point)}`);
}

/** A decimal text times a power of ten. */
function shift(text: string, power: number): string {
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const padded = '0'.repeat(Math.max(0, -power)) + whole + fraction + '0'.repeat(Math.max(0, power));
  const point = Math.max(0, -power) + whole.length + power;
  return `${sign}${padded.slice(0, point) || '0'}.${padded.slice(point) || '0'}`;
}
