import { expect, test } from 'vitest';
import { BatchReads } from '../../../transforms/batch-reads.ts';

/** Rows are numbers, values texts of `length` characters; the sizes of all queries. */
async function readAll(count: number, length: number) {
  const sizes: number[] = [];
  const reads = new BatchReads<number, string>(
    async (rows, [column]) => {
      sizes.push(rows.length);
      return rows.map((row) => `${column}${row}`.padEnd(length));
    },
    (value) => value.length,
  );
  for (let row = 0; row < count; row++) reads.plan(row, () => ['a']);
  for (let row = 0; row < count; row++) {
    const read = await reads.of(row);
    expect(read).toMatchObject({ columns: ['a'] });
    expect(read!.values.trimEnd()).toBe(`a${row}`);
  }
  return sizes;
}

test('short values are read by the hundred, and long ones only as many as fit in memory', async () => {
  expect(await readAll(1_500, 10)).toEqual([16, 64, 256, 500, 500, 164]);
  expect(await readAll(40, 1024 * 1024)).toEqual([16, 4, 4, 4, 4, 4, 4]);
  expect(await readAll(18, 8 * 1024 * 1024)).toEqual([16, 1, 1]);
});

test('rows of different needs are read apart, one without any not at all, and a row again for nothing', async () => {
  const asked: string[] = [];
  const reads = new BatchReads<string, string>(
    async (rows, columns) => {
      asked.push(`${rows.join()} ${columns.join()}`);
      return rows.map((row) => row);
    },
    () => 1,
  );
  reads.plan('r1', () => ['a']);
  reads.plan('r2', () => ['a', 'b']);
  reads.plan('r3', () => []);
  reads.plan('r4', () => ['a']);
  for (const row of ['r1', 'r2', 'r3', 'r4', 'r4']) {
    const read = await reads.of(row);
    expect(read?.values).toBe(row === 'r3' ? undefined : row);
  }
  expect(asked).toEqual(['r1,r4 a', 'r2 a,b']);
});

test('what cannot be told of a row is its own failure, and so is a query that fails', async () => {
  let fails = true;
  const reads = new BatchReads<string, string>(
    async (rows) => {
      if (fails) throw new Error('query');
      return rows;
    },
    () => 1,
  );
  reads.plan('r1', () => {
    throw new Error('need');
  });
  reads.plan('r2', () => ['a']);
  reads.plan('r3', () => ['a']);
  await expect(reads.of('r1')).rejects.toThrow('need');
  await expect(reads.of('r2')).rejects.toThrow('query');
  fails = false;
  expect(await reads.of('r3')).toEqual({ columns: ['a'], values: 'r3' });
});
