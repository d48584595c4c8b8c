import { InvalidArgumentError } from 'commander';

/** A whole number of an option, from 1 on. */
export function count(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}

/** Several of them, parted by commas, each more than the one before. */
export function counts(text: string): number[] {
  const all = text.split(',').map(count);
  if (all.every((own, i) => i === 0 || own > all[i - 1]!)) return all;
  throw new InvalidArgumentError('Each must be more than the one before.');
}
