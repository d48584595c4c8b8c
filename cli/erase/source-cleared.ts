import { eraseSourceRows } from '../../connectors/postgres/erase-rows.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { planSourceErasure, type SourceErasurePlan } from '../../connectors/postgres/source-erasure-plan.ts';
import type { StepResult, StepWork } from '../../erasure/runner.ts';
import type { ErasureContext } from './context.ts';

/** The persons' rows at the source, as each contract says: deleted, columns set to null, or left to the application. */
export function sourceClearedWork({ project: { config, datasets } }: ErasureContext): StepWork {
  return async (erasures) =>
    withSource(config.postgres, async (client) => {
      const results: StepResult[] = [];
      const plans = new Map<string, SourceErasurePlan>();
      for (const { inventory } of erasures) {
        const { type } = inventory.subject;
        const plan = plans.get(type) ?? (await planSourceErasure(client, datasets, type));
        plans.set(type, plan);
        const erased = await eraseSourceRows(client, plan, inventory.subject.id);
        const rowsOf = (action: 'delete' | 'null') =>
          erased.filter((rows) => rows.action === action).reduce((sum, { rows }) => sum + rows, 0);
        const evidence = {
          deleted: rowsOf('delete'),
          nulled: rowsOf('null'),
          tablesLeftToTheApplication: plan.tables.filter(({ source }) => source === 'application').length,
        };
        results.push({ evidence, inventory });
      }
      return results;
    });
}
