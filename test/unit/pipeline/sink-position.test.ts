import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatSinkPosition, newerPosition, parseSinkPosition } from '../../../pipeline/sink-position.ts';

const position = fc
  .record({
    lsn: fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `${a.toString(16)}/${b.toString(16)}`.toUpperCase()),
    commitMs: fc.nat(),
  })
  .map(formatSinkPosition);

it('a sink’s position never goes back, whatever is delivered again', () => {
  fc.assert(
    fc.property(fc.array(fc.option(position), { minLength: 1 }), (batches) => {
      let last: string | null = null;
      let newest = -1;
      for (const batch of batches) {
        last = newerPosition(last, batch);
        newest = Math.max(newest, parseSinkPosition(batch)?.commitMs ?? -1);
        expect(parseSinkPosition(last)?.commitMs ?? -1).toBe(newest);
      }
    }),
  );
});

it('what is no position gives way to one, and the later of two of the same time is taken', () => {
  expect(newerPosition('nonsense', '0/1 5')).toBe('0/1 5');
  expect(newerPosition('0/1 5', null)).toBe('0/1 5');
  expect(newerPosition('0/1 5', '0/2 5')).toBe('0/2 5');
  expect(newerPosition(null, null)).toBeNull();
});
