/** Alphabets of format-preserving encryption: each character of the value is replaced by one of its own alphabet. */
export const formatAlphabets = {
  digits: '0123456789',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  'lower-alphanumeric': '0123456789abcdefghijklmnopqrstuvwxyz',
  'upper-alphanumeric': '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  alphanumeric: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
} as const;
export type FormatAlphabet = keyof typeof formatAlphabets;

/** Fewer values than these are no domain to encrypt in: SP 800-38G Rev. 1, section 5.1, requires radix^minlen >= 10^6. */
export const smallestDomain = 1_000_000;

/** Bounds the work on one value; the mode itself would take far more. */
export const longestFormatted = 256;

/** Characters of the alphabet that a value must have, so that its domain is large enough. */
export function shortestFormatted(alphabet: FormatAlphabet): number {
  return Math.ceil(Math.log(smallestDomain) / Math.log(formatAlphabets[alphabet].length) - 1e-9);
}
