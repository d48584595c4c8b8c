import {
  type AppliedContract,
  advanceReread,
  changedColumns,
  readAppliedContracts,
} from '../connectors/postgres/applied-contracts.ts';
import type { Catalog } from '../connectors/postgres/catalog.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { type OlderValues, olderValues } from './older-values.ts';

/** How a table stands to its contract. */
export interface ContractStatus {
  readonly table: string;
  /** Columns of the table that the contract does not name: they do not pass. */
  readonly unclassified: readonly string[];
  /** `applied`: everything everywhere is under it. `pending`: something older is left. `not applied`: `apply` has not been run. */
  readonly state: 'applied' | 'pending' | 'not applied';
  /** Columns whose rule changed last, while something older is left. */
  readonly changed: readonly string[];
  readonly left?: OlderValues;
}

/** Compares the contracts with what was applied, and counts what stands under older ones where a change is not complete. */
export async function readContractStatus(
  config: Config,
  datasets: readonly Dataset[],
  catalog: Catalog,
): Promise<ContractStatus[]> {
  const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
  const status: ContractStatus[] = [];
  for (const dataset of datasets) {
    const { table, contract } = dataset;
    const columns = catalog.tables.get(table)?.columns ?? [];
    const unclassified = columns
      .map(({ name }) => name)
      .filter((name) => !Object.hasOwn(contract.columns, name));
    status.push({ table, unclassified, ...(await stateOf(config, dataset, applied.get(table))) });
  }
  return status;
}

async function stateOf(
  config: Config,
  dataset: Dataset,
  applied: AppliedContract | undefined,
): Promise<Pick<ContractStatus, 'state' | 'changed' | 'left'>> {
  if (applied?.digest !== dataset.digest) {
    return { state: 'not applied', changed: applied ? changedColumns(applied.rules, dataset) : [] };
  }
  if (applied.reread === 'none' || applied.reread === 'done') return { state: 'applied', changed: [] };
  const left = await olderValues(config, dataset, applied.generation);
  const nothing = left.topic + left.elasticsearch + left.clickhouse === 0;
  if (applied.reread === 'merged' && nothing) {
    await withSource(config.postgres, (client) => advanceReread(client, config, dataset, ['merged', 'done']));
    return { state: 'applied', changed: [] };
  }
  return { state: 'pending', changed: changedColumns(applied.before ?? emptyRules, dataset), left };
}

const emptyRules: AppliedContract['rules'] = { columns: {} };
