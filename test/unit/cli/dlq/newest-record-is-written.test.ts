import { describe, expect, it } from 'vitest';
import { type RejectedRow, RetryWrites } from '../../../../cli/dlq/retry-writes.ts';
import type { CommittedRecord } from '../../../../pipeline/committed-reader.ts';
import type { CleanChange, Verdict } from '../../../../pipeline/sink.ts';
import { avroType } from '../../../../schemas/registry.ts';
import { header } from '../../../../schemas/record-headers.ts';
import { formatVersion, versionToElasticsearch } from '../../../../schemas/version.ts';
import { at, testDataset } from '../../../support/sink-datasets.ts';

const dataset = testDataset('public.t', ['id'], [{ name: 'id', type: 'text' }]);
const type = avroType({ type: 'record', name: 'r', fields: [{ name: 'n', type: 'long' }] });

/** A clean topic of one partition and a store that lets ties win, as Elasticsearch does. */
class World {
  readonly records: CommittedRecord[] = [];
  readonly store = new Map<string, { version: bigint; n: bigint | null }>();
  /** What happens while the retry writes, once. */
  meanwhile: (() => void) | undefined;
  verdict: (change: CleanChange) => Verdict | undefined = () => undefined;
  writes = 0;

  append(key: string, commit: number, n: bigint | null, contract = dataset.digest): void {
    const headers = new Map([
      [header.version, formatVersion({ ...at(commit), seq: BigInt(this.records.length) })],
      [header.commitMs, '1'],
      [header.contract, contract],
    ]);
    const value = n === null ? null : Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), type.toBuffer({ n })]);
    this.records.push({ offset: BigInt(this.records.length), key, value, headers, timestampMs: 1 });
  }

  take({ key, version, row }: Pick<CleanChange, 'key' | 'version' | 'row'>): Verdict {
    const own = { version: versionToElasticsearch(version), n: (row?.['n'] ?? null) as bigint | null };
    if (own.version < (this.store.get(key)?.version ?? 0n)) return { outcome: 'stale' };
    this.store.set(key, own);
    return { outcome: 'written' };
  }

  async retry(rows: readonly RejectedRow[], history = [{ digest: dataset.digest, generation: 1 }]) {
    const { records } = this;
    const retry = new RetryWrites({
      reader: {
        ends: async () => [{ topic: 'clean', partition: 0, next: BigInt(records.length) }],
        async *read(_topic, _partition, from = 0n, to = BigInt(records.length)) {
          yield records.slice(Number(from), Number(to));
        },
      },
      decoder: async () => type,
      cleanTopic: 'clean',
      dataset,
      sink: {
        name: 'elasticsearch',
        write: async (_dataset, changes) => {
          this.writes++;
          this.meanwhile?.();
          this.meanwhile = undefined;
          return changes.map((change) => this.verdict(change) ?? this.take(change));
        },
        close: async () => {},
      },
      history: { of: async () => history, fresh: async () => history },
    });
    return Object.fromEntries([...(await retry.retry(rows))].map(([key, { kind }]) => [key, kind]));
  }
}

const rejected = (key: string, offset = 0n): RejectedRow => ({ key, partition: 0, offset });

describe('a store that did not take a row', () => {
  it('gets the newest record of it and of no other row', async () => {
    const world = new World();
    world.append('a', 1, 1n);
    world.append('b', 1, 1n);
    world.append('a', 2, 2n);
    expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect([...world.store].map(([key, { n }]) => [key, n])).toEqual([['a', 2n]]);
  });

  it('gets a delete, where that is the newest', async () => {
    const world = new World();
    world.append('a', 1, 1n);
    world.append('a', 2, null);
    expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect(world.store.get('a')?.n).toBeNull();
  });

  it('keeps what is newer, when it is tried again as well', async () => {
    const world = new World();
    world.append('a', 1, 1n);
    world.store.set('a', { version: versionToElasticsearch(at(9)), n: 9n });
    for (let i = 0; i < 2; i++) expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect(world.store.get('a')?.n).toBe(9n);
  });

  it('ends with the later of two records that have one version there, though its sink was first', async () => {
    const world = new World();
    world.append('a', 1, 1n);
    world.meanwhile = () => {
      world.append('a', 1, 2n);
      world.take({ key: 'a', version: at(1), row: { n: 2n } });
    };
    expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect(world.store.get('a')?.n).toBe(2n);
    expect(world.writes).toBe(2);
  });

  it('gets nothing of which the topic knows nothing, nor what is under a contract of another generation', async () => {
    const world = new World();
    world.append('a', 1, 1n, 'older');
    const history = [
      { digest: 'older', generation: 1 },
      { digest: dataset.digest, generation: 2 },
    ];
    expect(await world.retry([rejected('a'), rejected('b')], history)).toEqual({ a: 'left', b: 'gone' });
    expect(world.writes).toBe(0);
  });

  it('is written to again where it is away for a moment, and says what it rejects', async () => {
    const world = new World();
    world.append('a', 1, 1n);
    world.append('b', 1, 1n);
    let away = 2;
    world.verdict = ({ key }) => {
      if (key === 'b') return { outcome: 'rejected', code: 'RECORD_REJECTED' };
      return away-- > 0 ? { outcome: 'retriable', code: 'SERVER_FAILED' } : undefined;
    };
    expect(await world.retry([rejected('a'), rejected('b')])).toEqual({ a: 'written', b: 'rejected' });
    away = 99;
    await expect(world.retry([rejected('a')])).rejects.toMatchObject({ code: 'SERVER_FAILED' });
  });

  it('finds the row in a topic that was made anew', async () => {
    const world = new World();
    for (const key of ['a', 'b', 'c']) world.append(key, 1, 1n);
    expect(await world.retry([rejected('a', 2n), rejected('b', 77n)])).toEqual({
      a: 'written',
      b: 'written',
    });
  });
});
