import { ConnectClient } from '../../connectors/connect/connect-client.ts';
import { type AppliedContract, readAppliedContracts } from '../../connectors/postgres/applied-contracts.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { cleanTopic, connectorName } from '../../schemas/names.ts';

/** The contract that the table is under, which must be the one here. PLAN_REFUSED with the way out if it is not. */
export async function requireApplied(config: Config, { table, digest }: Dataset): Promise<AppliedContract> {
  const applied = await appliedTo(config, table);
  if (applied?.digest === digest) return applied;
  throw refused(`the contract of ${table} here is not the one that was applied`, 'Run `lethe apply` first.');
}

/** Of the stores that the table's rows go to, under whatever contract. */
export async function generationOf(config: Config, { table }: Dataset): Promise<number> {
  return (await appliedTo(config, table))?.generation ?? 1;
}

async function appliedTo(config: Config, table: string): Promise<AppliedContract | undefined> {
  return (await withSource(config.postgres, (client) => readAppliedContracts(client, config))).get(table);
}

/** PLAN_REFUSED unless the clean topic has every row of the table under its contract. `isFresh`: all were just read again. */
export async function requireComplete(
  config: Config,
  dataset: Dataset,
  reader: CommittedReader,
  isFresh: boolean,
): Promise<void> {
  const { table } = dataset;
  const applied = await requireApplied(config, dataset);
  if (applied.reread === 'due' || applied.reread === 'requested') {
    throw refused(
      `the clean topic of ${table} is not complete: rows are read again under a contract that changed`,
      'Let `lethe run` go on until `lethe status` says that all are read again, and run `lethe apply`.',
    );
  }
  const connect = new ConnectClient(config.connect);
  const name = connectorName(config);
  if ((await connect.phase(name)) !== 'streaming' || (await connect.isRereading(name, table))) {
    throw refused(
      `the clean topic of ${table} is not complete: the connector is reading a snapshot`,
      'Wait until it is done: `lethe status` says so.',
    );
  }
  const starts = await reader.starts([cleanTopic(config, table)]);
  if (!isFresh && starts.some(({ next }) => next > 0n)) {
    throw refused(
      `the clean topic of ${table} is not complete: somebody deleted its first records`,
      'Have all rows read again: `lethe rebuild SINK TABLE --snapshot`.',
    );
  }
}

function refused(message: string, fix: string): LetheError {
  return new LetheError('PLAN_REFUSED', message, { fix });
}
