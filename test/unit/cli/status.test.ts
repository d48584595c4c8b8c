import { describe, expect, it } from 'vitest';
import { whatIsLeft } from '../../../cli/status.ts';

const none = { topic: 0, elasticsearch: 0, clickhouse: 0, inForce: 0, olderStores: [] };
const olderStores = ['index shop-people-v1', 'table _rows_people'];

describe('what is left of an older contract', () => {
  it.each([
    [{ ...none, topic: 7, inForce: 5 }, 'its rows are read again; older ones in topic 7'],
    [
      { ...none, clickhouse: 2 },
      'replaced, to be merged by `lethe apply` and compacted; older ones in clickhouse 2',
    ],
    [none, 'all read again: `lethe apply` merges what was replaced'],
    [
      { topic: 7, elasticsearch: 3, clickhouse: 4, inForce: 5, olderStores },
      'rebuilding: its rows are read again; older ones in topic 7, elasticsearch 3, clickhouse 4; readers see index shop-people-v1 and table _rows_people until then',
    ],
    [
      { ...none, elasticsearch: 3, olderStores: olderStores.slice(0, 1) },
      'rebuilt: `lethe apply` puts it in its place; older ones in elasticsearch 3; readers see index shop-people-v1 until then',
    ],
  ])('is said: %#', (left, text) => {
    expect(whatIsLeft(left)).toBe(text);
  });
});
