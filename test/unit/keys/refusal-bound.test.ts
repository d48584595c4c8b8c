import { expect, it } from 'vitest';
import { RefusalBound, refusalsAMinute } from '../../../keys/access/refusal-bound.ts';

it('refusals without an end are written down so many times a minute, and none is forgotten', () => {
  let now = 0;
  const bound = new RefusalBound(() => now);
  let written = 0;
  let leftOut = 0;
  for (let knock = 0; knock < 10_000; knock++) {
    now = knock * 20;
    const entry = bound.next();
    if (!entry) continue;
    written++;
    leftOut += entry.leftOut;
  }
  now += 60_000;
  leftOut += bound.next()!.leftOut;
  // 200 seconds: four minutes begun.
  expect(written).toBe(4 * refusalsAMinute);
  expect(written + leftOut).toBe(10_000);
});
