import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { contractsTable } from '../../schemas/names.ts';

/** Takes the right to rebuild a table in a store, for as long as the connection lasts. False: another command has it. */
export async function takeRebuildLock(
  client: ClientBase,
  config: Pick<Config, 'name' | 'topics'>,
  table: string,
  sink: string,
): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
    [`lethe rebuild ${contractsTable(config)} ${table} ${sink}`],
  );
  return rows[0]!.taken;
}
