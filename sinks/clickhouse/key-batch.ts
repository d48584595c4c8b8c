import type { ClickHouseClient } from '@clickhouse/client';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { decodeRecordKey } from '../../schemas/record-key.ts';
import { versionToUInt256 } from '../../schemas/version.ts';
import type { RemovedRows } from '../removal.ts';
import { command } from './command.ts';
import { writeKeyPart } from './key-part.ts';
import { markOfRemovals } from './mutation.ts';
import { RowBinary } from './row-binary.ts';
import { sendRows } from './send.ts';
import { quote } from './sql.ts';
import { columnType } from './types.ts';

/** Column with the version below which a row goes. */
const below = '_lethe_below';
const keysOfASend = 10_000;

/** A row, of those that {@link KeyBatch.joined} gives, that goes. */
export const isOlder = `r._lethe_deleted = 0 AND r._lethe_version < k.${below}`;
/** A tombstone there that replaces what is older. */
const isTombstone = `r._lethe_deleted = 1 AND r._lethe_version >= k.${below}`;

/**
 * Keys in a table of their own, in the server's memory alone: ClickHouse keeps the text of statements, in logs and in its list of
 * mutations, and no key may stand there. What is named after a batch holds nothing of it.
 */
export class KeyBatch {
  private readonly client: ClickHouseClient;
  private readonly database: string;
  private readonly dataset: Dataset;
  private readonly id: string;

  /** `id`: letters and digits, drawn by lot; the same for a batch that is taken up again. */
  constructor(client: ClickHouseClient, database: string, dataset: Dataset, id: string) {
    if (!/^[a-z0-9]{8,64}$/.test(id)) throw new Error('a batch id is 8 to 64 small letters and digits');
    this.client = client;
    this.database = database;
    this.dataset = dataset;
    this.id = id;
  }

  /** The table of keys. */
  get keys(): string {
    return this.named('keys');
  }

  /** The table of rows, by key and version, that go from one table. */
  get doomed(): string {
    return this.named('doomed');
  }

  /** Part of the text of every statement about the batch. */
  get mark(): string {
    return `${markOfRemovals}${this.id}`;
  }

  private named(part: string): string {
    return `${quote(this.database)}.${quote(`${this.mark}_${part}`)}`;
  }

  /** Key columns, each behind the alias of a table. */
  columns(alias?: string): string {
    return this.dataset.key
      .map(({ name }) => (alias === undefined ? quote(name) : `${alias}.${quote(name)}`))
      .join(', ');
  }

  /** A table's rows `r` beside the keys `k` that are theirs, by the index; a condition on both may follow. */
  joined(table: string): string {
    const same = this.dataset.key.map(({ name }) => `r.${quote(name)} = k.${quote(name)}`).join(' AND ');
    const own = `(${this.columns('r')}) IN (SELECT ${this.columns()} FROM ${this.keys})`;
    const place = `${quote(this.database)}.${quote(table)}`;
    return `${place} AS r INNER JOIN ${this.keys} AS k ON ${same} WHERE ${own}`;
  }

  /** Makes the table anew and writes the keys. Those that have no form in ClickHouse are left out: no row can have them. */
  async write(rows: RemovedRows): Promise<void> {
    await this.drop();
    const columns = this.dataset.key.map((column) => `${quote(column.name)} ${columnType(column).sql}`);
    const all = [...columns, `${below} UInt256`].join(', ');
    await this.run(`CREATE TABLE ${this.keys} (${all}) ENGINE = Memory`, 'create a table for keys');
    const writers = this.dataset.key.map(writeKeyPart);
    const target = {
      name: `${this.database}.${this.mark}_keys`,
      insert: `INSERT INTO ${this.keys} FORMAT RowBinary`,
      header: Buffer.alloc(0),
    };
    let [out, ends]: [RowBinary, number[]] = [new RowBinary(1_024), []];
    const send = async (): Promise<void> => {
      await sendRows(this.client, target, { bytes: out.bytes(), ends });
      [out, ends] = [new RowBinary(1_024), []];
    };
    for (const [key, version] of rows) {
      const start = out.length;
      try {
        const parts = decodeRecordKey(key);
        for (const [i, write] of writers.entries()) write(out, parts[i] ?? '');
        out.integer(versionToUInt256(version), 32);
        ends.push(out.length);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        out.truncate(start);
      }
      if (ends.length >= keysOfASend) await send();
    }
    await send();
  }

  /** Lists the rows of a table that go: what is older than its key's version and, where `onlyReplaced`, has a tombstone there that replaces it. */
  async doom(table: string, onlyReplaced: boolean): Promise<void> {
    await this.run(`DROP TABLE IF EXISTS ${this.doomed} SYNC`, 'drop a list of rows');
    const columns = this.dataset.key.map(({ name }) => `r.${quote(name)} AS ${quote(name)}`).join(', ');
    const tombstones = `SELECT ${this.columns('r')} FROM ${this.joined(table)} AND ${isTombstone}`;
    const replaced = onlyReplaced ? ` AND (${this.columns('r')}) IN (${tombstones})` : '';
    await this.run(
      `CREATE TABLE ${this.doomed} ENGINE = Memory AS ` +
        `SELECT ${columns}, r._lethe_version AS _lethe_version FROM ${this.joined(table)} AND ${isOlder}${replaced}`,
      'list the rows that go',
    );
  }

  async drop(): Promise<void> {
    for (const table of [this.keys, this.doomed])
      await this.run(`DROP TABLE IF EXISTS ${table} SYNC`, 'drop a table for keys');
  }

  private run(sql: string, what: string): Promise<void> {
    return command(this.client, sql, what);
  }
}
