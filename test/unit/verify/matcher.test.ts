import { type Arbitrary, array, assert, constantFrom, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { Matcher } from '../../../verify/matcher.ts';

type Match = [pattern: number, offset: number];

/** What a plain search finds. */
function naive(patterns: readonly Buffer[], text: Buffer): Match[] {
  const matches: Match[] = [];
  for (const [number, pattern] of patterns.entries()) {
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1))
      matches.push([number, at]);
  }
  return sorted(matches);
}

function sorted(matches: Match[]): Match[] {
  return matches.toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
}

function inOneGo(matcher: Matcher, text: Buffer): Match[] {
  const matches: Match[] = [];
  matcher.find(text, (pattern, offset) => matches.push([pattern, offset]));
  return sorted(matches);
}

function inPieces(matcher: Matcher, text: Buffer, sizes: readonly number[]): Match[] {
  const matches: Match[] = [];
  const stream = matcher.stream((pattern, offset) => matches.push([pattern, offset]));
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    stream.write(text.subarray(at, at + size));
    at += size;
  }
  return sorted(matches);
}

// Two letters: patterns overlap, repeat themselves and begin like one another.
const letters = constantFrom(97, 98);
const bytes = (minLength: number, maxLength: number): Arbitrary<Buffer> =>
  array(letters, { minLength, maxLength }).map((list) => Buffer.from(list));

test('finds exactly what a plain search finds, in one go and over every border', () => {
  assert(
    property(
      array(bytes(3, 12), { minLength: 1, maxLength: 20 }),
      bytes(0, 200),
      array(integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      (patterns, text, sizes) => {
        const matcher = new Matcher(patterns);
        const expected = naive(patterns, text);
        expect(inOneGo(matcher, text)).toEqual(expected);
        expect(inPieces(matcher, text, sizes)).toEqual(expected);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('long patterns among short ones, bytes of every value, chunks of one byte', () => {
  const patterns = [Buffer.alloc(700, 0xff), Buffer.from([0, 1, 2, 3]), Buffer.from('ünï\0cödé')];
  const text = Buffer.concat([
    Buffer.alloc(699, 0xff),
    patterns[1]!,
    patterns[0]!,
    patterns[2]!,
    Buffer.from([0, 1, 2]),
  ]);
  const matcher = new Matcher(patterns);
  expect(inOneGo(matcher, text)).toEqual([
    [1, 699],
    [0, 703],
    [2, 1403],
  ]);
  expect(inPieces(matcher, text, [1])).toEqual(inOneGo(matcher, text));
});

test('with nothing to look for nothing is found', () => {
  expect(inOneGo(new Matcher([]), Buffer.from('anything'))).toEqual([]);
});

test('takes more patterns than a call may have arguments', () => {
  const patterns = Array.from({ length: 200_000 }, (_, i) => Buffer.from(`pattern ${i}.`));
  const matcher = new Matcher(patterns);
  expect(inOneGo(matcher, Buffer.from('some pattern 7. and pattern 199999.'))).toEqual([
    [7, 5],
    [199_999, 20],
  ]);
});
