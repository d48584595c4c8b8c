import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { NewestChanges } from '../../../cli/rebuild/newest-changes.ts';
import { isBehind, parseReplayPoint } from '../../../cli/replay/replay-point.ts';
import type { CleanChange } from '../../../pipeline/sink.ts';
import { formatLsn, versionToElasticsearch } from '../../../schemas/version.ts';
import { CleanTopicWorld } from '../../support/clean-topic-world.ts';
import { at, change, testDataset } from '../../support/sink-datasets.ts';

const dataset = testDataset('public.t', ['id'], [{ name: 'id', type: 'int4' }]);
const changed = (id: number, version: number, eventId: string, isThere = true): CleanChange => ({
  ...change(dataset, [String(id)], at(version), isThere ? { id } : null),
  eventId,
});
async function* pages(...all: string[][]): AsyncGenerator<string[]> {
  yield* all;
}

describe('the point from which records are written again', () => {
  it.each([
    ['0', { kind: 'offset', offset: 0n }],
    ['1234', { kind: 'offset', offset: 1234n }],
    ['16/B374D848', { kind: 'lsn', lsn: 0x16_b374_d848n }],
    ['2026-11-26T10:00:00Z', { kind: 'time', timeMs: Date.UTC(2026, 10, 26, 10) }],
    ['2026-11-26T10:00+02:00', { kind: 'time', timeMs: Date.UTC(2026, 10, 26, 8) }],
  ])('%s is an offset, a position or a time', (text, point) => {
    expect(parseReplayPoint(text)).toEqual(point);
  });

  it.each(['', '-1', 'noon', '2026-11-26', '2026-11-26T10:00:00', '2026-13-26T10:00:00Z', '16/', '1/2/3'])(
    '%j is none: a time without its zone is another one elsewhere',
    (text) => {
      expect(parseReplayPoint(text)).toBeUndefined();
    },
  );

  it('as a position leaves out what lies before it, and nothing else', () => {
    const lsn = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(lsn, lsn, (from, own) => {
        const version = { epoch: 1n, commit: 0n, lsn: own, seq: 0n };
        expect(isBehind(parseReplayPoint(formatLsn(from))!, { version })).toBe(own >= from);
      }),
    );
  });
});

describe('what a store must have', () => {
  it('is the newest change of each row, and none of those that are deleted, in whatever order they come', async () => {
    const newest = new NewestChanges();
    for (const one of [
      changed(1, 3, 'new'),
      changed(1, 2, 'old'),
      changed(2, 1, 'there'),
      changed(2, 2, 'gone', false),
      changed(3, 1, 'only'),
    ])
      newest.note(one);
    expect(await newest.compare(pages(['new'], ['only']))).toEqual({ rows: 2, missing: 0, extra: 0 });
    expect(await newest.compare(pages(['old', 'only']))).toEqual({ rows: 2, missing: 1, extra: 1 });
    expect(await newest.compare(pages(['new', 'new', 'only']))).toEqual({ rows: 2, missing: 0, extra: 1 });
    expect(await newest.compare(pages(['new', 'there', '']))).toEqual({ rows: 2, missing: 1, extra: 2 });
  });
});

describe('records that are written again beside a sink', () => {
  it('are counted by what became of them; what is newer in the store stays', async () => {
    const world = new CleanTopicWorld();
    world.append('a', 1, 1n);
    world.append('b', 2, 2n);
    world.append('c', 3, null);
    world.store.set('b', { version: versionToElasticsearch(at(9)), n: 9n });
    world.verdict = ({ key }) => (key === 'c' ? { outcome: 'rejected', code: 'RECORD_REJECTED' } : undefined);
    expect(await world.replay()).toEqual({ read: 3, written: 1, stale: 1, rejected: 1 });
    expect(world.store.get('b')?.n).toBe(9n);
    expect(await world.replay(3n)).toEqual({ read: 0, written: 0, stale: 0, rejected: 0 });
  });

  it('end with the later of two that have one version there, though its sink was first', async () => {
    const world = new CleanTopicWorld();
    world.firstSeq = 5_000n;
    world.append('a', 1, 1n);
    world.meanwhile = () => {
      world.append('a', 1, 2n);
      world.take({ key: 'a', version: { ...at(1), seq: 5_001n }, row: { n: 2n } });
    };
    expect(await world.replay()).toMatchObject({ read: 2, written: 2 });
    expect(world.store.get('a')?.n).toBe(2n);
  });
});
