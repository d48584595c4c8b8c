import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type PoolConfig } from 'pg';
import type { Dataset } from '../../schemas/dataset.ts';
import { tableParts } from '../../schemas/contract.ts';
import { LetheError } from '../../schemas/errors.ts';

/** A value as `pg` gives it with text casts: text, a Buffer for bytea, an array of texts for arrays. */
export type ReadValue = string | Buffer | readonly (string | null)[] | null;

/**
 * Reads current values of single columns back from the source, by primary key, for unchanged TOAST values. Debezium's own
 * post-processor does not serve: it may read before the change's transaction is visible, and so an older value.
 */
export class ValueReader {
  private readonly pool: Pool;
  private readonly datasets: ReadonlyMap<string, Dataset>;

  constructor(options: PoolConfig, datasets: readonly Dataset[]) {
    this.pool = new Pool({ ...options, max: 4 });
    this.pool.on('error', () => {});
    this.datasets = new Map(datasets.map((d) => [d.table, d]));
  }

  /**
   * Values by column as of a moment when transaction `txId` (32 bits, as in the change event) is visible, or null
   * if there is no such row any more. `key`: canonical texts in key order.
   *
   * A commit reaches the replication stream before other sessions see it: read in between, the row would show what it
   * was before that very transaction. So a snapshot that still lacks it is not taken.
   */
  async read(
    table: string,
    key: readonly string[],
    columns: readonly string[],
    txId: bigint | undefined,
  ): Promise<ReadonlyMap<string, ReadValue> | null> {
    const text = statement(this.datasets.get(table)!, columns);
    for (let attempt = 1; attempt <= mostLooks; attempt++) {
      const row = await this.look(table, text, key);
      if (txId === undefined || sees(row[snapshotColumn] as string, txId)) {
        if (row[foundColumn] !== 'found') return null;
        return new Map(columns.map((c) => [c, row[c] ?? null]));
      }
      await sleep(Math.min(attempt, 50));
    }
    throw new LetheError('UNREACHABLE', 'the source does not show a transaction that it has streamed');
  }

  private async look(
    table: string,
    text: string,
    key: readonly string[],
  ): Promise<Record<string, ReadValue>> {
    try {
      const { rows } = await this.pool.query<Record<string, ReadValue>>(text, [...key]);
      return rows[0]!;
    } catch (cause) {
      const state = (cause as { code?: unknown }).code;
      // A column or table that is gone cannot be waited for; all else is the server's trouble.
      if (state === '42703' || state === '42P01') {
        throw new LetheError('VALUE_UNRESOLVED', `a column of ${table} is gone at the source`);
      }
      const what = typeof state === 'string' ? state : 'connection';
      throw new LetheError('UNREACHABLE', `the source does not answer (${what})`);
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

const mostLooks = 400;
const snapshotColumn = '_lethe_snapshot';
const foundColumn = '_lethe_found';

/** One row always: the statement's own snapshot, and the values where there is such a row. */
function statement(dataset: Dataset, columns: readonly string[]): string {
  const { schema, table } = tableParts(dataset.table);
  const selected = columns.map((name) => {
    const column = dataset.columns.find((c) => c.name === name);
    if (column?.source === 'array') return `${quote(name)}::text[] as ${quote(name)}`;
    // Of hstore Debezium makes JSON, as its cast does; json and jsonb stay as they are.
    if (column?.source === 'json') return `to_json(${quote(name)})::text as ${quote(name)}`;
    return column?.source === 'bytes' ? quote(name) : `${quote(name)}::text as ${quote(name)}`;
  });
  const where = dataset.key.map((c, i) => `${quote(c.name)} = $${i + 1}`).join(' and ');
  const row = `select 'found' as ${foundColumn}, ${selected.join(', ')} from ${quote(schema)}.${quote(table)} where ${where}`;
  return `select s.*, r.* from (select pg_current_snapshot()::text as ${snapshotColumn}) s left join lateral (${row}) r on true`;
}

/**
 * Does a snapshot (`xmin:xmax:xip,…`, 64-bit ids) see the transaction whose lowest 32 bits are given? It is at most 2^31
 * away from xmax, so its upper bits follow.
 */
export function sees(snapshot: string, txId: bigint): boolean {
  const [, xmaxText, xipText] = snapshot.split(':') as [string, string, string];
  const xmax = BigInt(xmaxText);
  let full = (xmax & ~0xffff_ffffn) | (txId & 0xffff_ffffn);
  if (full > xmax + 0x8000_0000n) full -= 0x1_0000_0000n;
  else if (full + 0x8000_0000n < xmax) full += 0x1_0000_0000n;
  if (full >= xmax) return false;
  return !xipText.split(',').includes(String(full));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
