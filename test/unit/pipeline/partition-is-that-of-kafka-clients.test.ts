import { assert, integer, property, string } from 'fast-check';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { partitionOf } from '../../../pipeline/transactional-producer.ts';

it('a key has the partition that kafkajs, and so every Java client, gives it', () => {
  const theirs = kafkajs.Partitioners.DefaultPartitioner();
  assert(
    property(string({ unit: 'binary' }), integer({ min: 1, max: 400 }), (key, count) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
        partitionId,
        leader: 1,
      }));
      const expected = theirs({
        topic: 'clean',
        partitionMetadata: partitionMetadata as kafkajs.PartitionMetadata[],
        message: { key, value: null },
      });
      expect(partitionOf(Buffer.from(key), count)).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});
