import type { ClickHouseClient } from '@clickhouse/client';
import type { Dataset, DatasetColumn } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { encryptedColumns, subjectColumn } from '../../schemas/subject-columns.ts';
import { othersLookedFor, prefixLength, type SubjectMarks } from '../subject-marks.ts';
import { command } from './command.ts';
import { writeKeyPart } from './key-part.ts';
import { markOfRemovals } from './mutation.ts';
import type { DoomedRows } from './remove-rows.ts';
import { RowBinary } from './row-binary.ts';
import { sendRows } from './send.ts';
import { quote } from './sql.ts';
import { columnType } from './types.ts';

/** A column, how it tells a person, and the list of what it tells them by. */
interface Teller {
  readonly column: DatasetColumn;
  readonly expression: string;
  /** Condition of a row that has something there. */
  readonly isThere: string;
  readonly list: string;
}

/** Persons in tables of their own, in the server's memory alone, for the same reason as the keys of a {@link KeyBatch}. */
export class SubjectBatch implements DoomedRows {
  readonly mark: string;
  readonly doomed: string;
  private readonly client: ClickHouseClient;
  private readonly database: string;
  private readonly dataset: Dataset;
  private readonly values: string;
  private readonly prefixes: string;

  /** `dataset`: as ClickHouse has it. `id`: letters and digits, drawn by lot; the same for a batch that is taken up again. */
  constructor(client: ClickHouseClient, database: string, dataset: Dataset, id: string) {
    this.client = client;
    this.database = database;
    this.dataset = dataset;
    this.mark = `${markOfRemovals}${id}`;
    const named = (part: string): string => `${quote(database)}.${quote(`${this.mark}_${part}`)}`;
    [this.doomed, this.values, this.prefixes] = [named('doomed'), named('values'), named('prefixes')];
  }

  columns(): string {
    return this.dataset.key.map(({ name }) => quote(name)).join(', ');
  }

  /** Makes the tables anew and writes whom they are to tell. A text that the column's type does not have is left out: no row has it. */
  async write({ values, prefixes }: SubjectMarks): Promise<void> {
    await this.drop();
    const column = subjectColumn(this.dataset);
    if (column) {
      const type = columnType({ ...column, nullable: false }).sql;
      await this.fill('values', this.values, type, writeKeyPart(column), values);
    }
    await this.fill('prefixes', this.prefixes, 'String', (out, text) => out.string(text), prefixes);
  }

  /** Which of a table's columns tell persons: those that it has, with the types of today. */
  tellers(has: ReadonlyMap<string, string>): Teller[] {
    const own = subjectColumn(this.dataset);
    const tellers: Teller[] = encryptedColumns(this.dataset).map((column) => ({
      column,
      expression: `substring(${quote(column.name)}, 1, ${prefixLength})`,
      isThere: `length(${quote(column.name)}) >= ${prefixLength}`,
      list: this.prefixes,
    }));
    if (own) {
      const expression = quote(own.name);
      tellers.push({ column: own, expression, isThere: `isNotNull(${expression})`, list: this.values });
    }
    return tellers.filter(({ column }) => has.get(column.name) === columnType(column).sql);
  }

  /** Condition of a row that is theirs. */
  theirs(tellers: readonly Teller[]): string {
    return tellers.map(({ expression, list }) => `${expression} IN (SELECT told FROM ${list})`).join(' OR ');
  }

  /** Lists the rows of a table that are theirs. */
  async doom(table: string, tellers: readonly Teller[]): Promise<void> {
    await this.run(`DROP TABLE IF EXISTS ${this.doomed} SYNC`, 'drop a list of rows');
    await this.run(
      `CREATE TABLE ${this.doomed} ENGINE = Memory AS SELECT ${this.columns()}, _lethe_version ` +
        `FROM ${this.place(table)} WHERE _lethe_deleted = 0 AND (${this.theirs(tellers)})`,
      'list the rows of persons',
    );
  }

  /** The table, and the condition of rows of others that the tellers find by what is read in them. */
  others(table: string, tellers: readonly Teller[]): string {
    const rows = `${this.place(table)} WHERE _lethe_deleted = 0`;
    const found = tellers.map(({ expression, isThere }) => {
      return `${expression} IN (SELECT ${expression} FROM ${rows} AND ${isThere} LIMIT ${othersLookedFor})`;
    });
    return `${rows} AND (${found.join(' OR ')})`;
  }

  async drop(): Promise<void> {
    for (const table of [this.doomed, this.values, this.prefixes])
      await this.run(`DROP TABLE IF EXISTS ${table} SYNC`, 'drop a table for persons');
  }

  private place(table: string): string {
    return `${quote(this.database)}.${quote(table)}`;
  }

  private async fill(
    part: string,
    table: string,
    type: string,
    write: (out: RowBinary, text: string) => void,
    texts: readonly string[],
  ): Promise<void> {
    await this.run(`CREATE TABLE ${table} (told ${type}) ENGINE = Memory`, 'create a table for persons');
    const [out, ends]: [RowBinary, number[]] = [new RowBinary(1_024), []];
    for (const text of texts) {
      const start = out.length;
      try {
        write(out, text);
        ends.push(out.length);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        out.truncate(start);
      }
    }
    const name = `${this.database}.${this.mark}_${part}`;
    const target = { name, insert: `INSERT INTO ${table} FORMAT RowBinary`, header: Buffer.alloc(0) };
    await sendRows(this.client, target, { bytes: out.bytes(), ends });
  }

  private run(sql: string, what: string): Promise<void> {
    return command(this.client, sql, what);
  }
}
