import { expect, it } from 'vitest';
import { decideEpoch } from '../../../connectors/source-epoch.ts';
import { epochOf } from '../../../transforms/record-epoch.ts';

const [here, there] = ['741/1', '741/2'];

it.each([
  ['the first connector of all', here, undefined, 0, 1],
  ['the same source', here, { epoch: 3, source: here }, 3, 3],
  ['the same source, of which nothing was transformed yet', here, { epoch: 3, source: here }, 2, 3],
  ['another source', there, { epoch: 3, source: here }, 3, 4],
  ['another source, of a connector that was set back', there, { epoch: 1, source: here }, 3, 4],
  ['a connector that was made anew over stores that have rows', here, undefined, 3, 4],
  ['a connector of a version that knew no epochs', here, {}, 1, 1],
  ['a connector that was put there by hand, with an older epoch', here, { epoch: 1, source: here }, 3, 3],
])('the epoch of %s', (_, source, noted, seen, epoch) => {
  expect(decideEpoch(source, noted, seen)).toEqual({ epoch, source });
});

const headers = (text: string | Buffer) => ({ headers: { 'lethe-epoch': text } });

it('is read from a raw record, whose absence is no error and whose nonsense is one', () => {
  expect(epochOf({})).toBeUndefined();
  expect(epochOf({ headers: {} })).toBeUndefined();
  expect([epochOf(headers(Buffer.from('1'))), epochOf(headers(Buffer.from('31')))]).toEqual([1, 31]);
  expect(epochOf(headers('12'))).toBe(12);
  for (const text of ['', '0', 'x', '32', '-1', '1.5', 'NaN']) {
    expect(() => epochOf(headers(Buffer.from(text))), text).toThrow(
      expect.objectContaining({ code: 'RECORD_MALFORMED' }),
    );
  }
});
