import { describe, expect, it } from 'vitest';
import type { CommittedRecord } from '../../../pipeline/committed-reader.ts';
import { deadLetter, type OpenedPayload } from '../../../pipeline/dead-letters.ts';
import type { OpenLetter } from '../../../pipeline/open-letters.ts';
import { purgeLetters } from '../../../pipeline/purge-letters.ts';
import { CompactedLog } from '../../support/compacted-log.ts';

const topic = 'deadletter.public.t';
const places = [{ table: 'public.t', topic }];

/** A sealed payload names by its first byte what opening it gives. */
const kinds = { o: 'opened', e: 'erased', u: 'unreadable' } as const;
const opener = {
  open: async (sealed: Buffer): Promise<OpenedPayload> => {
    const kind = kinds[sealed.toString('latin1', 0, 1) as keyof typeof kinds];
    return kind === 'opened' ? { kind, payload: sealed.subarray(1) } : { kind };
  },
};

/** A topic of letters whose records have these keys, each with how its payload opens. */
async function letters(...rows: readonly (readonly [key: string, kind: keyof typeof kinds])[]) {
  const headers = new Map<bigint, CommittedRecord['headers']>();
  const log = new CompactedLog();
  for (const [i, [key, kind]] of rows.entries()) {
    const record = await deadLetter(
      {
        table: 'public.t',
        topic: 'clean.public.t',
        partition: 0,
        offset: String(i),
        code: 'RECORD_REJECTED',
        stage: 'clickhouse',
      },
      Buffer.from(key),
      null,
      {
        seal: async (payload) => ({ sealed: Buffer.concat([Buffer.from(kind), payload]), keyId: '00' }),
      },
      topic,
    );
    headers.set(
      log.append(record.key, record.value!.toString('latin1')),
      new Map(Object.entries(record.headers)),
    );
  }
  const settled: string[] = [];
  return {
    settled,
    reader: {
      async *read(...asked: Parameters<CompactedLog['read']>) {
        for await (const records of log.read(...asked))
          yield records.map((record) => ({ ...record, headers: headers.get(record.offset) ?? new Map() }));
      },
    },
    box: {
      settle: async (due: readonly OpenLetter[]) => {
        for (const { key } of due) {
          log.append(key, null);
          settled.push(key);
        }
      },
    },
    opener,
  };
}

describe('dead letters of a person', () => {
  const isHers = (_letter: unknown, { key }: { key: Buffer | null }) => String(key) === 'hers';

  it('are settled, those of others stay open, and those that nobody opens are counted', async () => {
    const world = await letters(
      ['hers', 'o'],
      ['his', 'o'],
      ['hers', 'o'],
      ['hers', 'e'],
      ['hers', 'u'],
      ['x', 'o'],
    );
    const purged = await purgeLetters(world, places, isHers);
    expect(purged).toMatchObject({ looked: 6, erased: 1, unreadable: 1 });
    expect(purged.settled.map(({ offset }) => offset)).toEqual(['0', '2']);
    expect(world.settled).toEqual(['clean.public.t/0/0/clickhouse', 'clean.public.t/0/2/clickhouse']);
  });

  it('are not open a second time', async () => {
    const world = await letters(['hers', 'o'], ['his', 'o']);
    await purgeLetters(world, places, isHers);
    expect(await purgeLetters(world, places, isHers)).toMatchObject({ looked: 1, settled: [] });
  });
});
