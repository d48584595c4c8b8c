import { describe, expect, it } from 'vitest';
import type { RejectedRow } from '../../../../cli/dlq/retry-writes.ts';
import { versionToElasticsearch } from '../../../../schemas/version.ts';
import { CleanTopicWorld, dataset } from '../../../support/clean-topic-world.ts';
import { at } from '../../../support/sink-datasets.ts';

const rejected = (key: string, offset = 0n): RejectedRow => ({ key, partition: 0, offset });

describe('a store that did not take a row', () => {
  it('gets the newest record of it and of no other row', async () => {
    const world = new CleanTopicWorld();
    world.append('a', 1, 1n);
    world.append('b', 1, 1n);
    world.append('a', 2, 2n);
    expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect([...world.store].map(([key, { n }]) => [key, n])).toEqual([['a', 2n]]);
  });

  it('gets a delete, where that is the newest', async () => {
    const world = new CleanTopicWorld();
    world.append('a', 1, 1n);
    world.append('a', 2, null);
    expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect(world.store.get('a')?.n).toBeNull();
  });

  it('keeps what is newer, when it is tried again as well', async () => {
    const world = new CleanTopicWorld();
    world.append('a', 1, 1n);
    world.store.set('a', { version: versionToElasticsearch(at(9)), n: 9n });
    for (let i = 0; i < 2; i++) expect(await world.retry([rejected('a')])).toEqual({ a: 'written' });
    expect(world.store.get('a')?.n).toBe(9n);
  });

  it('ends with the later of two records that have one version there, though its sink was first', async () => {
    const world = new CleanTopicWorld();
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
    const world = new CleanTopicWorld();
    world.append('a', 1, 1n, 'older');
    const history = [
      { digest: 'older', generation: 1 },
      { digest: dataset.digest, generation: 2 },
    ];
    expect(await world.retry([rejected('a'), rejected('b')], history)).toEqual({ a: 'left', b: 'gone' });
    expect(world.writes).toBe(0);
  });

  it('is written to again where it is away for a moment, and says what it rejects', async () => {
    const world = new CleanTopicWorld();
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
    const world = new CleanTopicWorld();
    for (const key of ['a', 'b', 'c']) world.append(key, 1, 1n);
    expect(await world.retry([rejected('a', 2n), rejected('b', 77n)])).toEqual({
      a: 'written',
      b: 'written',
    });
  });
});
