import { expect, test } from 'vitest';
import { sampleRows } from '../../../examples/beancart/sample.ts';
import { stories } from '../../../examples/beancart/stories/deck.ts';
import { Random } from '../../../examples/beancart/random.ts';
import { tables } from '../../../examples/beancart/row.ts';

const small = { customers: 120, seed: 11 };

test('the same seed gives the same rows to the last byte, another seed others', () => {
  const first = JSON.stringify([...sampleRows(small)]);
  const again = JSON.stringify([...sampleRows(small)]);
  const other = JSON.stringify([...sampleRows({ ...small, seed: 12 })]);
  expect(again === first).toBe(true);
  expect(other === first).toBe(false);
});

test('every table gets rows, and rows of one table have the same columns', () => {
  const chunks = [...sampleRows(small)];
  for (const table of tables) {
    const rows = chunks.flatMap((chunk) => chunk[table]);
    expect(rows.length, table).toBeGreaterThan(20);
    expect(new Set(rows.map((row) => Object.keys(row).join())).size, table).toBe(1);
  }
});

test('a deck holds every story, in an order given by the seed', () => {
  const names = (seed: number): string[] => {
    const deck = stories(new Random(seed));
    return Array.from({ length: 150 }, () => deck.next().value.name);
  };
  expect(names(1)).toEqual(names(1));
  expect(names(2)).not.toEqual(names(1));
  expect(new Set(names(1).slice(0, 60))).toEqual(new Set(names(2)));
});
