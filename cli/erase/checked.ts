import { sourceObstaclesOf } from '../../connectors/postgres/erase-rows.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { planSourceErasure } from '../../connectors/postgres/source-erasure-plan.ts';
import { refuseHeld } from '../../erasure/holds.ts';
import { requireNoticeTopic } from '../../erasure/notice-topic.ts';
import type { StepResult, StepWork } from '../../erasure/runner.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { LetheError } from '../../schemas/errors.ts';
import { type ErasureContext, requireType } from './context.ts';

/**
 * Nothing speaks against it: no hold is on the persons, contracts have rows of such, the source would let go of theirs, and recipients can be
 * told. Here nothing is changed yet: a request that cannot be done is best known now.
 */
export function checkedWork({ project }: ErasureContext): StepWork {
  const { config, datasets } = project;
  return async (erasures) => {
    await withKeyStore(config, async (client) => {
      for (const { request } of erasures) await refuseHeld(client, request.subject);
    });
    await requireNoticeTopic(config);
    return withSource(config.postgres, async (client) => {
      const results: StepResult[] = [];
      for (const { inventory } of erasures) {
        const { type, id } = inventory.subject;
        requireType(project, type);
        const plan = await planSourceErasure(client, datasets, type);
        const errors = plan.obstacles.filter(({ severity }) => severity === 'error');
        const obstacles = errors.length > 0 ? errors : await sourceObstaclesOf(client, plan, id);
        if (obstacles.length > 0) {
          const message = obstacles.map((obstacle) => obstacle.message).join('; ');
          throw new LetheError('PLAN_REFUSED', `the source would not let go of the rows: ${message}`, {
            fix: obstacles.map(({ fix }) => fix).join(' '),
          });
        }
        results.push({ evidence: { tables: plan.tables.length }, inventory });
      }
      return results;
    });
  };
}
