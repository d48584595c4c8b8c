import type { ClickHouseClient } from '@clickhouse/client';
import type { CopyState, StoreCopy } from '../../pipeline/store-copy.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { clickhouseCopy as copyName, clickhouseTable } from '../../schemas/names.ts';
import { command } from './command.ts';
import { toLetheError } from './errors.ts';
import { misfits } from './misfits.ts';
import { createTable, qualified, type TableDefinition, tableDefinition } from './table-definition.ts';
import { readTable, type TableState } from './table-state.ts';

type Named = Pick<Config, 'name' | 'topics' | 'clickhouse'>;

/** No insert gets in; says itself by an error that sinks try again upon. It goes with the rows when tables are exchanged. */
const heldSetting = 'max_parts_in_total = 0';

/** Whether a table takes no writes: it was replaced, or is about to be. */
export function isHeld({ engineFull }: Pick<TableState, 'engineFull'>): boolean {
  return new RegExp(`\\b${heldSetting}\\b`).test(engineFull);
}

/** The statement that makes it take them again. */
export function releaseTable(definition: TableDefinition): string {
  return `ALTER TABLE ${qualified(definition, definition.table)} RESET SETTING max_parts_in_total`;
}

/**
 * A table that is rebuilt: the one that is filled changes its name with the live one, behind view and sinks, and what was replaced is known
 * by its being held.
 */
export function clickhouseCopy(
  config: Named,
  dataset: Dataset,
  generation: number,
  client: ClickHouseClient,
): StoreCopy {
  const { table } = dataset;
  const definition = tableDefinition(config, sinkDataset(dataset, 'clickhouse'), generation);
  const [live, next, kept] = [
    clickhouseTable(table, generation),
    copyName(table, 'next'),
    copyName(table, 'kept'),
  ] as const;
  const place = (name: string) => qualified(definition, name);
  const run = (sql: string, what: string) => command(client, sql, `${what} ${definition.database}.${live}`);

  /** The table of this name, if it is ours. */
  async function own(name: string): Promise<TableState | undefined> {
    const state = await readTable(client, definition.database, name);
    return state?.comment === definition.mark ? state : undefined;
  }

  async function state(): Promise<CopyState> {
    if (await own(kept)) return 'kept';
    const begun = await own(next);
    if (!begun) return 'none';
    return isHeld(begun) ? 'swapped' : 'building';
  }

  return {
    state,
    async beside() {
      for (const name of [next, kept]) if (await own(name)) return name;
      return undefined;
    },
    async prepare() {
      if (!(await own(live))) {
        throw new LetheError('PLAN_REFUSED', `no rows of ${table} are there that could be replaced`, {
          fix: 'Run `lethe apply` first.',
        });
      }
      const begun = await own(next);
      if (begun && misfits(begun, definition).length === 0) return;
      if (begun) await run(`DROP TABLE ${place(next)} SYNC`, 'drop what was begun beside');
      await run(createTable({ ...definition, table: next }), 'create a table beside');
    },
    eventIds: () => eventIdsOf(client, place(next)),
    hold: () => run(`ALTER TABLE ${place(live)} MODIFY SETTING ${heldSetting}`, 'hold the writes to'),
    release: () => run(releaseTable(definition), 'release'),
    async swap() {
      // Another exchange would take it back.
      if ((await state()) !== 'building')
        throw new LetheError('PLAN_REFUSED', `no table for ${table} was built`);
      await run(`EXCHANGE TABLES ${place(live)} AND ${place(next)}`, 'exchange');
    },
    async keep() {
      if ((await state()) === 'swapped') await run(`RENAME TABLE ${place(next)} TO ${place(kept)}`, 'keep');
    },
    async drop() {
      const name = { building: next, kept, none: undefined, swapped: undefined }[await state()];
      if (name !== undefined) await run(`DROP TABLE IF EXISTS ${place(name)} SYNC`, 'drop what is beside');
    },
  };
}

async function* eventIdsOf(client: ClickHouseClient, place: string): AsyncGenerator<string[]> {
  try {
    const answer = await client.query({
      query: `SELECT _lethe_event_id FROM ${place} FINAL WHERE _lethe_deleted = 0`,
      format: 'JSONCompactEachRow',
    });
    for await (const rows of answer.stream<[string]>()) yield rows.map((row) => row.json()[0]);
  } catch (error) {
    throw toLetheError(error, 'read what is built beside');
  }
}
