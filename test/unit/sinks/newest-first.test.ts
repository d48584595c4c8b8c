import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../pipeline/sink.ts';
import { compareVersions } from '../../../schemas/version.ts';
import { newestFirst } from '../../../sinks/newest-first.ts';
import { at, change, testDataset } from '../../support/sink-datasets.ts';

const dataset = testDataset('public.t', ['id'], [{ name: 'id', type: 'int4' }]);

/** Changes of a few keys, each with the outcome that the store has in mind for it. */
const scenario = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 4 }),
    tx: fc.integer({ min: 0, max: 3 }),
    fate: fc.constantFrom<Verdict['outcome']>('written', 'stale', 'retriable', 'rejected'),
  }),
  { maxLength: 30 },
);

describe('newest first', () => {
  it('sends no key twice at once, never an older change after a newer one that was taken, and settles every change', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (entries) => {
        const changes = entries.map(({ key, tx }) => change(dataset, [String(key)], at(tx), { id: key }));
        const fates = new Map(changes.map((c, i) => [c, entries[i]!.fate]));
        const tried = new Map<string, { version: bigint; fate: Verdict['outcome'] }>();
        const verdicts = await newestFirst(changes, async (candidates) => {
          expect(new Set(candidates.map((c) => c.key)).size).toBe(candidates.length);
          return candidates.map((c): Verdict => {
            const before = tried.get(c.key);
            if (before) {
              expect(before.fate).toBe('rejected');
              expect(c.version.commit <= before.version).toBe(true);
            }
            const fate = fates.get(c)!;
            tried.set(c.key, { version: c.version.commit, fate });
            return fate === 'retriable' || fate === 'rejected'
              ? { outcome: fate, code: fate === 'rejected' ? 'RECORD_REJECTED' : 'SERVER_FAILED' }
              : { outcome: fate };
          });
        });
        expect(verdicts).toHaveLength(changes.length);
        for (const [i, c] of changes.entries()) {
          const newer = changes.filter(
            (other, j) =>
              other.key === c.key &&
              (compareVersions(other.version, c.version) || j - i) > 0 &&
              fates.get(other) !== 'rejected',
          );
          const settledBy = newer
            .toSorted(
              (a, b) => compareVersions(a.version, b.version) || changes.indexOf(a) - changes.indexOf(b),
            )
            .at(-1);
          const fate = fates.get(settledBy ?? c)!;
          const expected = settledBy ? (fate === 'retriable' ? 'retriable' : 'stale') : fate;
          expect(verdicts[i]!.outcome).toBe(expected);
        }
      }),
    );
  });
});
