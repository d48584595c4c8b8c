import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLookupCipher } from '../../keys/lookup-cipher.ts';
import { Counters } from '../../pipeline/counters.ts';
import { KeyedLock } from '../../pipeline/keyed-lock.ts';
import { createLog } from '../../pipeline/log.ts';
import { LookupFollower } from '../../pipeline/lookup-follower.ts';
import { LookupStore } from '../../pipeline/lookup-store.ts';
import { Outages } from '../../pipeline/outage.ts';
import { Parking } from '../../pipeline/parking.ts';
import { SealingKey } from '../../keys/sealing-key.ts';
import { SubjectKey } from '../../keys/subject-key.ts';
import { endlessReserve, testProtection, testSubjectKey } from './test-keys.ts';

/** What fails where rows of other tables are looked up; `folder` may be written in. */
export function lookupFailures(canary: string, folder: string): readonly (() => unknown)[] {
  const table = 'public.orders';
  const cipherOf = (own: SubjectKey | null) =>
    createLookupCipher(
      { ...testProtection(), dataKeys: async () => [own], keyById: async () => null },
      endlessReserve(own?.generation),
    );
  const outages = new Outages(createLog('silent'));
  return [
    () => cipherOf(null).load([table]),
    async () => {
      const [mine, other] = [cipherOf(testSubjectKey()), cipherOf(testSubjectKey())];
      await Promise.all([mine.load([table]), other.load([table])]);
      mine.open(table, 'topic', other.seal(table, 'topic', Buffer.from(canary)));
    },
    async () => {
      const first = testSubjectKey();
      const [one, two] = [cipherOf(first), cipherOf(new SubjectKey(first.keyId, 2, first.roots))];
      await Promise.all([one.load([table]), two.load([table])]);
      one.open(table, 'topic', two.seal(table, 'topic', Buffer.from(canary)));
    },
    () => new SealingKey({ keys: {} as never, reserve: endlessReserve() }).take(testSubjectKey()),
    () => {
      const reserve = { block: 1, reserve: async () => ({ generation: 2, count: 1 }) };
      return new SealingKey({ keys: { keyById: async () => null }, reserve }).next(testSubjectKey());
    },
    () => {
      const file = join(folder, 'a-file');
      writeFileSync(file, '');
      return new LookupStore(join(file, 'inside'));
    },
    async () => {
      const end = { topic: 'lookup', partition: 0, next: 5n };
      const follower = new LookupFollower({
        connect: () => ({}) as never,
        store: {} as never,
        topics: new Map([[table, 'lookup']]),
        longestAwayMs: 1,
        outages,
      });
      (follower as unknown as { ends: () => Promise<object[]> }).ends = async () => [end];
      const waiting = follower.caughtUp([table]);
      await Promise.all([waiting, Promise.resolve().then(() => follower.stop())]);
    },
    () => {
      const parking = new Parking({
        consumer: { pause: () => {} } as never,
        membership: { isSure: () => true },
        lock: new KeyedLock(),
        session: () => Promise.reject(new Error('none')),
        discard: async () => {},
        backlog: () => ({}) as never,
        outages,
        sealer: {} as never,
        counters: new Counters(),
        log: createLog('silent'),
      });
      parking.hold({ rawTopic: 'raw', transform: { table } } as never, 0);
    },
  ];
}
