import type { Consumer } from 'kafkajs';
import { afterEach, expect, test, vi } from 'vitest';
import type { Backlog } from '../../../pipeline/backlog.ts';
import { Counters } from '../../../pipeline/counters.ts';
import { KeyedLock } from '../../../pipeline/keyed-lock.ts';
import { createLog } from '../../../pipeline/log.ts';
import type { LookupTables } from '../../../pipeline/lookup-tables.ts';
import { Outages } from '../../../pipeline/outage.ts';
import { ParkedRecords } from '../../../pipeline/parked-records.ts';
import { Parking } from '../../../pipeline/parking.ts';
import type { PartitionSession } from '../../../pipeline/partition-session.ts';
import type { TransformRoute } from '../../../pipeline/route-output.ts';
import type { OutputRecord } from '../../../pipeline/transactional-producer.ts';
import { VersionClock } from '../../../pipeline/version-clock.ts';
import { header } from '../../../schemas/record-headers.ts';

const table = 'public.items';
const log = createLog('silent');
const waitsFor = { table: 'public.orders', digest: 'd1' };

/** A partition in which two rows may wait at most; `known` says whether their parent has come. */
function partition() {
  const state = { known: false, changes: 0, readUntil: undefined as number | undefined };
  const calls: string[] = [];
  const written: OutputRecord[] = [];
  const cipher = { load: async () => {}, digest: String, seal: (_t: string, _o: string, p: Buffer) => p };
  const tables = {
    cipher,
    has: () => state.known,
    isCaughtUp: async () => true,
    get changes() {
      return state.changes;
    },
  } as unknown as LookupTables;
  const parked = new ParkedRecords({ table, topic: 'parked', partition: 0, cipher: cipher as never }, 2);
  const route: TransformRoute = {
    rawTopic: 'raw',
    cleanTopic: 'clean',
    deadLetterTopic: 'dead',
    transform: {
      table,
      transform: async (records) =>
        records.map(({ parked: own }) =>
          state.known
            ? { kind: 'clean', key: '', value: null, headers: { [header.version]: own!.version } }
            : own!.expired
              ? { kind: 'failed', code: 'SUBJECT_UNRESOLVED', reason: '' }
              : { kind: 'parked', version: own!.version, waitsFor },
        ),
    },
    lookups: { tables, followed: ['public.orders'], parking: { topic: 'parked', deadlineMs: 1_000 } },
  };
  const session = {
    parked,
    clock: VersionClock.from(null),
    nextOffset: 5n,
    commit: async (output: AsyncIterable<readonly OutputRecord[]>) => {
      for await (const part of output) written.push(...part);
    },
  } as unknown as PartitionSession;
  const outages = new Outages(log);
  const parking = new Parking({
    consumer: {
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
    } as unknown as Consumer,
    membership: { isSure: () => true },
    lock: new KeyedLock(),
    session: async () => session,
    discard: async () => void calls.push('discard'),
    backlog: () => ({ readUntil: async () => state.readUntil }) as unknown as Backlog,
    outages,
    sealer: { seal: async (payload) => ({ sealed: payload, keyId: '' }) },
    counters: new Counters(),
    log,
  });
  parking.assigned({ raw: [0] }, [route]);
  const park = (offset: number, sinceMs: number) =>
    parked.add({
      offset: `${offset}`,
      key: Buffer.from(`${offset}`),
      value: Buffer.from('v'),
      version: `${offset}`,
      waitsFor,
      sinceMs,
    });
  const release = () =>
    parking.release({ route, partition: 0 }, session, { outages, signal: AbortSignal.abort() });
  return { state, calls, written, parked, parking, route, park, release };
}

afterEach(() => {
  vi.useRealTimers();
});

test('a partition in which too many rows wait is paused, and goes on when they have gone', async () => {
  vi.useFakeTimers();
  const { state, calls, parked, parking, route, park, release } = partition();
  park(0, Date.now());
  expect(await release()).toBe(true);
  park(1, Date.now());
  expect(await release()).toBe(false);
  parking.hold(route, 0);
  expect(calls).toEqual(['pause']);
  parking.start(500);
  await vi.advanceTimersByTimeAsync(600);
  expect(calls).toEqual(['pause']);
  state.known = true;
  state.changes++;
  await vi.advanceTimersByTimeAsync(600);
  parking.stop();
  expect(calls).toEqual(['pause', 'resume']);
  expect(parked.size).toBe(0);
});

test('time that the pipeline itself was behind does not count', async () => {
  const { state, written, parked, park, release } = partition();
  park(0, Date.now() - 10_000);
  await release();
  expect(parked.size).toBe(1);
  // Read until before the row came, which says nothing of its parent.
  state.readUntil = Date.now() - 20_000;
  await release();
  expect(parked.size).toBe(1);
  state.readUntil = Date.now();
  await release();
  expect(parked.size).toBe(0);
  expect(written.map(({ topic, value }) => [topic, value === null])).toEqual([
    ['dead', false],
    ['parked', true],
  ]);
});
