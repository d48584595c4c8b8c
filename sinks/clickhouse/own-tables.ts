import type { ClickHouseClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import { clickhouseCopy, clickhouseDatabase, clickhouseGeneration } from '../../schemas/names.ts';
import { isHeld } from './copy.ts';
import { markOf } from './table-definition.ts';
import { listTables, readTable } from './table-state.ts';

/** A table that holds, or held, a dataset's rows. */
export interface OwnTable {
  readonly name: string;
  /** Whether sinks or a rebuilding write to it: a replaced one gets no tombstone any more, and nobody reads it again. */
  readonly isWritten: boolean;
}

/** All of them: of every generation, and those of a rebuilding. */
export async function ownTables(
  client: ClickHouseClient,
  config: Pick<Config, 'name' | 'topics' | 'clickhouse'>,
  table: string,
): Promise<OwnTable[]> {
  const database = clickhouseDatabase(config);
  const mark = markOf(config, table);
  const [next, kept] = [clickhouseCopy(table, 'next'), clickhouseCopy(table, 'kept')];
  const found: OwnTable[] = [];
  for (const { name, comment } of await listTables(client, database)) {
    if (comment !== mark) continue;
    if (clickhouseGeneration(table, name) !== undefined) found.push({ name, isWritten: true });
    else if (name === kept) found.push({ name, isWritten: false });
    else if (name === next) {
      const state = await readTable(client, database, name);
      if (state) found.push({ name, isWritten: !isHeld(state) });
    }
  }
  return found;
}
