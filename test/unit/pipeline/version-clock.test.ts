import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import {
  compareVersions,
  formatVersion,
  parseVersion,
  type Version,
  versionFromUInt256,
  versionToElasticsearch,
  versionToUInt256,
} from '../../../schemas/version.ts';

interface Change {
  readonly read: boolean;
  readonly previousCommit: bigint | undefined;
  readonly lsn: bigint;
}

/**
 * A history as Debezium emits it to one partition: an initial snapshot at the slot's consistent point, then transactions in
 * commit order whose change LSNs interleave (each began anywhere before its commit, even before the snapshot), with
 * blocking and incremental snapshot reads in between, at LSNs of the moment.
 */
const history = fc
  .record({
    start: fc.integer({ min: 0, max: 50 }),
    initial: fc.integer({ min: 0, max: 3 }),
    steps: fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('tx' as const),
          changes: fc.integer({ min: 1, max: 4 }),
          back: fc.integer({ min: 1, max: 60 }),
          sameLsn: fc.boolean(),
        }),
        fc.record({
          kind: fc.constant('reads' as const),
          changes: fc.integer({ min: 1, max: 4 }),
          back: fc.integer({ min: -30, max: 30 }),
          sameLsn: fc.boolean(),
        }),
      ),
      { maxLength: 12 },
    ),
    firstHasCommit: fc.boolean(),
  })
  .map(({ start, initial, steps, firstHasCommit }) => {
    const changes: Change[] = [];
    let now = 100n + BigInt(start);
    for (let i = 0; i < initial; i++) changes.push({ read: true, previousCommit: undefined, lsn: now });
    let lastCommit: bigint | undefined = firstHasCommit ? now : undefined;
    for (const step of steps) {
      now += 80n;
      for (let i = 0; i < step.changes; i++) {
        const lsn = now - BigInt(step.back) + (step.sameLsn ? 0n : BigInt(i));
        changes.push(
          step.kind === 'tx'
            ? { read: false, previousCommit: lastCommit, lsn }
            : { read: true, previousCommit: undefined, lsn },
        );
      }
      if (step.kind === 'tx') lastCommit = now + 8n;
    }
    return changes;
  });

describe('versions of one partition', () => {
  it('grow strictly in the order the source emits, over snapshots in mid-stream and interleaved transactions', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const clock = VersionClock.from(null);
        let last: Version | undefined;
        for (const change of changes) {
          const version = clock.next(change);
          if (last) expect(compareVersions(version, last)).toBeGreaterThan(0);
          // Elasticsearch's 63 bits tell two changes of one transaction apart too: a zombie's late write must lose.
          if (last) expect(versionToElasticsearch(version) > versionToElasticsearch(last)).toBe(true);
          last = version;
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('are the same after a crash at any point, from the state that was committed', () => {
    fc.assert(
      fc.property(history, fc.nat(), (changes, at) => {
        const whole = VersionClock.from(null);
        const expected = changes.map((c) => formatVersion(whole.next(c)));
        const cut = changes.length === 0 ? 0 : at % changes.length;
        const before = VersionClock.from(null);
        for (const c of changes.slice(0, cut)) before.next(c);
        const lost = before.copy();
        for (const c of changes.slice(cut)) lost.next(c);
        const after = VersionClock.from(before.state());
        expect(changes.slice(cut).map((c) => formatVersion(after.next(c)))).toEqual(expected.slice(cut));
      }),
    );
  });

  it('a repeated stretch of the stream never beats what came after it', () => {
    fc.assert(
      fc.property(history, fc.nat(), (changes, at) => {
        const streamed = changes.filter((c) => !c.read);
        if (streamed.length < 2) return;
        const clock = VersionClock.from(null);
        const first = changes.map((c) => clock.next(c));
        const last = first.at(-1)!;
        const cut = at % (streamed.length - 1);
        const tail = streamed.at(-1)!;
        for (const c of streamed.slice(cut)) {
          const again = clock.next(c);
          // The tail itself may repeat with a higher sequence: it has the same content.
          const isTail = c.previousCommit === tail.previousCommit && c.lsn === tail.lsn;
          if (!isTail) expect(compareVersions(again, last)).toBeLessThan(0);
        }
      }),
    );
  });

  it('of a later source are above all that came before, wherever its WAL stands, and stragglers of the earlier one lose', () => {
    const sources = fc.array(history, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(sources, fc.nat(), (histories, at) => {
        const clock = VersionClock.from(null);
        let last: Version | undefined;
        histories.forEach((changes, i) => {
          for (const change of changes) {
            const version = clock.next({ ...change, epoch: i + 1 });
            expect(version.epoch).toBe(BigInt(i + 1));
            if (last) {
              expect(compareVersions(version, last)).toBeGreaterThan(0);
              expect(versionToElasticsearch(version) > versionToElasticsearch(last)).toBe(true);
            }
            last = version;
          }
        });
        const former = histories.slice(0, -1).flat();
        if (former.length === 0 || histories.at(-1)!.length === 0) return;
        const state = clock.state();
        const straggler = clock.next({ ...former[at % former.length]!, epoch: 1 });
        expect(compareVersions(straggler, last!)).toBeLessThan(0);
        expect(clock.state()).toBe(state);
      }),
    );
  });

  it('are above what the clock was raised to, in the order of the source, and what is repeated from before loses', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), fc.boolean(), (changes, at, where, restarts) => {
        const cut = changes.length === 0 ? 0 : at % (changes.length + 1);
        const before = VersionClock.from(null);
        const first = changes.slice(0, cut).map((c) => before.next(c));
        // A position of the WAL before or after what the partition has seen: where a commit ends, or between two.
        const commits = [20n, ...changes.flatMap(({ previousCommit }) => previousCommit ?? []), 5_000n];
        const lsn = commits[where % commits.length]! + BigInt(where % 2) * 40n;
        const above = { epoch: 1n, commit: lsn, lsn, seq: 1n };
        before.raise(above);
        const clock = restarts ? VersionClock.from(before.state()) : before;
        let last = first.reduce((a, b) => (compareVersions(a, b) > 0 ? a : b), above);
        for (const change of changes.slice(cut)) {
          const version = clock.next(change);
          expect(compareVersions(version, last)).toBeGreaterThan(0);
          expect(versionToElasticsearch(version) > versionToElasticsearch(above)).toBe(true);
          last = version;
        }
        const streamed = changes.filter((c) => !c.read);
        const [earliest, tail] = [streamed[0], streamed.at(-1)];
        // The tail itself may repeat with a higher sequence: it has the same content.
        if (earliest && (earliest.lsn !== tail!.lsn || earliest.previousCommit !== tail!.previousCommit))
          expect(compareVersions(clock.next(earliest), last)).toBeLessThan(0);
      }),
      { numRuns: 3_000 },
    );
  });

  it('are not moved by a version that the clock is above already', () => {
    const clock = VersionClock.from(null);
    clock.next({ read: false, previousCommit: 900n, lsn: 880n, epoch: 2 });
    const state = clock.state();
    clock.raise({ epoch: 1n, commit: 5_000n, lsn: 5_000n, seq: 1n });
    clock.raise({ epoch: 2n, commit: 899n, lsn: 5_000n, seq: 1n });
    expect(clock.state()).toBe(state);
  });

  it('that no record names are of the newest source', () => {
    const clock = VersionClock.from(null);
    expect(clock.next({ read: true, previousCommit: undefined, lsn: 5n }).epoch).toBe(1n);
    expect(clock.next({ read: true, previousCommit: undefined, lsn: 5n, epoch: 7 }).epoch).toBe(7n);
    expect(
      VersionClock.from(clock.state()).next({ read: true, previousCommit: undefined, lsn: undefined }).epoch,
    ).toBe(7n);
  });

  it('a read taken at a later LSN than an uncommitted change loses to that change (seen on PostgreSQL 18)', () => {
    const clock = VersionClock.from(null);
    const read = clock.next({ read: true, previousCommit: undefined, lsn: 0x179da38n });
    const update = clock.next({ read: false, previousCommit: undefined, lsn: 0x179d938n });
    expect(compareVersions(update, read)).toBeGreaterThan(0);
  });
});

describe('forms of a version', () => {
  const version = fc.record({
    epoch: fc.bigInt(0n, 0x1fn),
    commit: fc.bigInt(0n, 2n ** 53n - 1n),
    lsn: fc.bigInt(0n, 2n ** 64n - 1n),
    seq: fc.bigInt(0n, 2n ** 32n - 1n),
  });
  it('all keep the order, and the text form reads back', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const order = Math.sign(compareVersions(a, b));
        const numbers = versionToUInt256(a) - versionToUInt256(b);
        expect(numbers === 0n ? 0 : numbers < 0n ? -1 : 1).toBe(order);
        const [ta, tb] = [formatVersion(a), formatVersion(b)];
        expect(ta === tb ? 0 : ta < tb ? -1 : 1).toBe(order);
        expect(parseVersion(ta)).toEqual(a);
        expect(versionFromUInt256(versionToUInt256(a))).toEqual(a);
        expect(versionToElasticsearch(a) < 2n ** 63n).toBe(true);
        // Elasticsearch has no room for the LSN: a clock's sequence stands for it.
        const es = versionToElasticsearch(a) - versionToElasticsearch(b);
        if (a.epoch !== b.epoch || a.commit >> 5n !== b.commit >> 5n) expect(es < 0n ? -1 : 1).toBe(order);
      }),
    );
  });
});
