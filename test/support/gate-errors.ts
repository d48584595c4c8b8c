import { SourceGate } from '../../connectors/postgres/source-gate.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';

/** Meets each refusal of the gate: an older contract, columns in no contract, a column that is gone. Gives the codes. */
export async function gateRefusals(config: Config, dataset: Dataset): Promise<Set<unknown>> {
  const halting = { ...dataset.contract, unclassified: 'halt', columns: {} } as const;
  const refusals = new Set<unknown>();
  for (const changed of [{ digest: 'another' }, { contract: halting }, {}]) {
    const gate = new SourceGate(config, [{ ...dataset, ...changed }]);
    const work =
      Object.keys(changed).length > 0 ? gate.check(dataset.table) : gate.confirm(dataset.table, ['gone']);
    refusals.add(await work.catch((error: unknown) => (error as { code?: unknown }).code));
    await gate.close();
  }
  return refusals;
}
