import { InvalidArgumentError } from 'commander';

/** Parses an option that is a count: a whole number from 1 on, of at most seven digits. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
