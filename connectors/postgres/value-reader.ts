import { Pool, type PoolConfig } from 'pg';
import type { Dataset } from '../../schemas/dataset.ts';
import { tableParts } from '../../schemas/contract.ts';
import { LetheError } from '../../schemas/errors.ts';

/** A value as `pg` gives it with text casts: text, a Buffer for bytea, an array of texts for arrays. */
export type ReadValue = string | Buffer | readonly (string | null)[] | null;

/**
 * Reads current values of single columns back from the source, by primary key: for unchanged TOAST values that Debezium's
 * own post-processor left unresolved.
 */
export class ValueReader {
  private readonly pool: Pool;
  private readonly datasets: ReadonlyMap<string, Dataset>;

  constructor(options: PoolConfig, datasets: readonly Dataset[]) {
    this.pool = new Pool({ ...options, max: 4 });
    this.pool.on('error', () => {});
    this.datasets = new Map(datasets.map((d) => [d.table, d]));
  }

  /** Values by column, or null if there is no such row any more. `key`: canonical texts in key order. */
  async read(
    table: string,
    key: readonly string[],
    columns: readonly string[],
  ): Promise<ReadonlyMap<string, ReadValue> | null> {
    const dataset = this.datasets.get(table)!;
    try {
      const { rows } = await this.pool.query<Record<string, ReadValue>>(statement(dataset, columns), [
        ...key,
      ]);
      const row = rows[0];
      return row ? new Map(columns.map((c) => [c, row[c] ?? null])) : null;
    } catch (cause) {
      const state = (cause as { code?: unknown }).code;
      // A column or table that is gone cannot be waited for; all else is the server's trouble.
      if (state === '42703' || state === '42P01')
        throw new LetheError('VALUE_UNRESOLVED', `a column of ${table} is gone at the source`);
      throw new LetheError(
        'UNREACHABLE',
        `the source does not answer (${typeof state === 'string' ? state : 'connection'})`,
      );
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

function statement(dataset: Dataset, columns: readonly string[]): string {
  const { schema, table } = tableParts(dataset.table);
  const selected = columns.map((name) => {
    const column = dataset.columns.find((c) => c.name === name);
    if (column?.source === 'array') return `${quote(name)}::text[] as ${quote(name)}`;
    return column?.source === 'bytes' ? quote(name) : `${quote(name)}::text as ${quote(name)}`;
  });
  const where = dataset.key.map((c, i) => `${quote(c.name)} = $${i + 1}`);
  return `select ${selected.join(', ')} from ${quote(schema)}.${quote(table)} where ${where.join(' and ')}`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
