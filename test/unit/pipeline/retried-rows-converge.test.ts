import { array, assert, boolean, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { compareVersions, type Version } from '../../../schemas/version.ts';

/** Of each commit at the source: whether the row is there after it. Its number is its state. */
type History = readonly boolean[];

const stateAfter = (history: History, commits: number): number | undefined =>
  commits > 0 && history[commits - 1] ? commits : undefined;

/**
 * A retry of a dead letter, as it meets one row's history: the source is looked at after so many commits; the mark of an absent row
 * is appended to the raw partition when so many of them have been streamed there, be it fewer or more; and
 * Debezium, asked after that, reads the row when it has streamed as many or more. What is lost of the stream are the letters.
 */
const retry = record({
  history: array(boolean(), { minLength: 1, maxLength: 10 }),
  looked: integer({ min: 0, max: 10 }),
  marked: integer({ min: 0, max: 10 }),
  read: integer({ min: 0, max: 10 }),
  lost: array(boolean(), { minLength: 10, maxLength: 10 }),
  others: array(integer({ min: 0, max: 2 }), { minLength: 10, maxLength: 10 }),
});

it('a row that is retried ends as the source has it, whatever happens between look, mark and read', () => {
  assert(
    property(retry, ({ history, lost, others, ...at }) => {
      const length = history.length;
      const looked = Math.min(at.looked, length);
      const marked = Math.min(at.marked, length);
      const read = Math.min(Math.max(at.read, marked), length);
      // A letter that is retried was there before the source was looked at.
      const before = Math.min(looked, marked);
      const clock = VersionClock.from(null);
      let best: { version: Version; state: number | undefined } | undefined;
      const take = (version: Version, state: number | undefined): void => {
        if (!best || compareVersions(version, best.version) > 0) best = { version, state };
      };
      const next = (isRead: boolean, commits: number): Version =>
        clock.next({
          read: isRead,
          previousCommit: isRead ? undefined : BigInt(100 * commits),
          lsn: BigInt(100 * commits + 7),
        });
      for (let streamed = 0; streamed <= length; streamed++) {
        if (streamed > 0) {
          const version = next(false, streamed);
          // A record that became a dead letter was given its version, and is not in the clean topic.
          if (streamed > before || !lost[streamed - 1]) take(version, stateAfter(history, streamed));
          // Other rows of the partition move its clock.
          for (let i = 0; i < others[streamed - 1]!; i++) next(i === 1, streamed);
        }
        if (streamed === marked && stateAfter(history, looked) === undefined) {
          take(clock.next({ read: true, previousCommit: undefined, lsn: undefined }), undefined);
        }
        const found = stateAfter(history, streamed);
        if (streamed === read && found !== undefined) take(next(true, streamed), found);
      }
      expect(best?.state).toBe(stateAfter(history, length));
    }),
    { numRuns: 5_000 },
  );
});
