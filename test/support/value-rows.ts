import type { Client } from 'pg';

/** A column of a test's table: its name, Postgres type, what the contract makes of it, and values. */
export type ValueColumn = readonly [name: string, type: string, rule: string, values: readonly string[]];

/**
 * Inserts a row for each value of the column that has most, and one of nulls; null too where another has fewer. `first` gives what
 * stands before the columns. Returns how many there are.
 */
export async function insertValueRows(
  client: Client,
  table: string,
  columns: readonly ValueColumn[],
  first: (row: number) => readonly unknown[],
): Promise<number> {
  const rows = Math.max(...columns.map(([, , , values]) => values.length)) + 1;
  for (let row = 0; row < rows; row++) {
    const values = [...first(row), ...columns.map(([, , , all]) => all[row] ?? null)];
    const places = values.map((_, i) => `$${i + 1}`).join(', ');
    await client.query(`insert into ${table} values (${places})`, values);
  }
  return rows;
}
