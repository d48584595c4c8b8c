import type { Config } from '../schemas/config.ts';
import type { Contract } from '../schemas/contract.ts';
import { withSnapshot } from './postgres.ts';

const none: ReadonlySet<string> = new Set();

/**
 * Keys of the rows of a table that are kept by law: the ledger says that they stand everywhere, though the source has no row with such a
 * key. What stands there without being in it is extra.
 */
export async function readRetainedKeys(
  config: Pick<Config, 'keys'>,
  { table, subject }: Pick<Contract, 'table' | 'subject'>,
): Promise<ReadonlySet<string>> {
  // Nobody of whom such a table speaks could be erased.
  if (!subject) return none;
  return withSnapshot(config.keys, 'the key store', async (query) => {
    const [found] = await query(`SELECT to_regclass('lethe_erasure.retained') AS ledger`);
    if (found?.['ledger'] === null) return none;
    const rows = await query(
      'SELECT record_key FROM lethe_erasure.retained WHERE dataset = $1 AND ended_at IS NULL',
      [table],
    );
    return new Set(rows.map((row) => row['record_key']!));
  });
}
