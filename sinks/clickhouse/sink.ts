import type { ClickHouseClient } from '@clickhouse/client';
import type { Sink, Verdict } from '../../pipeline/sink.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { clickhouseDatabase, clickhouseTable } from '../../schemas/names.ts';
import { quote } from './sql.ts';
import { RowBinary } from './row-binary.ts';
import { compileRows, type RowFormat } from './rows.ts';
import { sendRows, type Target } from './send.ts';

interface Compiled {
  readonly format: RowFormat;
  /** Of the generation that was written to last. */
  readonly target: Target;
  readonly generation: number;
  /** Bytes a row took in the last batch: how much to reserve for the next. */
  bytesPerRow: number;
}

/**
 * Every change becomes a row, deletes too; which one counts is settled by `_lethe_version` when rows are read or
 * merged. So the order of writes does not matter, and a repeated one changes nothing. `table` names another one than that of the
 * generation, for all that is written.
 */
export function createClickhouseSink(
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  client: ClickHouseClient,
  options: { readonly table?: string } = {},
): Sink {
  const compiled = new WeakMap<Dataset, Compiled>();

  function compiledOf(dataset: Dataset, generation: number): Compiled {
    const known = compiled.get(dataset);
    if (known?.generation === generation) return known;
    const format = known?.format ?? compileRows(dataset);
    const table = options.table ?? clickhouseTable(dataset.table, generation);
    const target = targetOf(clickhouseDatabase(config), table, format);
    const entry = { format, target, generation, bytesPerRow: known?.bytesPerRow ?? 512 };
    compiled.set(dataset, entry);
    return entry;
  }

  return {
    name: 'clickhouse',
    async write(dataset, changes, generation) {
      const entry = compiledOf(dataset, generation);
      const out = new RowBinary(Math.ceil(changes.length * entry.bytesPerRow * 1.2) + 1_024);
      const ends: number[] = [];
      const rejected = new Map<number, Verdict>();
      for (let i = 0; i < changes.length; i++) {
        const start = out.length;
        try {
          entry.format.write(out, changes[i]!);
          ends.push(out.length);
        } catch (error) {
          if (!(error instanceof LetheError)) throw error;
          out.truncate(start);
          rejected.set(i, { outcome: 'rejected', code: error.code });
        }
      }
      if (ends.length > 0) entry.bytesPerRow = out.length / ends.length;
      const sent = (await sendRows(client, entry.target, { bytes: out.bytes(), ends })).values();
      return changes.map((_, i) => rejected.get(i) ?? sent.next().value!);
    },
    async close() {
      await client.close();
    },
  };
}

function targetOf(database: string, table: string, format: RowFormat): Target {
  const columns = format.columns.map(quote).join(', ');
  return {
    name: `${database}.${table}`,
    insert: `INSERT INTO ${quote(database)}.${quote(table)} (${columns}) FORMAT RowBinaryWithNamesAndTypes`,
    header: format.header,
  };
}
