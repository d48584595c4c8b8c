import { setTimeout as sleep } from 'node:timers/promises';
import { advanceReread, rereadIsDue } from '../../connectors/postgres/applied-contracts.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { allHasArrived } from '../all-has-arrived.ts';
import { requireApplied } from './complete-topic.ts';

const pauseMs = 200;
const askedWithinMs = 60_000;
const arrivedWithinMs = 24 * 3_600_000;

/**
 * Has every row of the table read again by the connector, beside the changes, and waits until all have passed transform and sinks. Needs
 * both to run. Rows that were deleted meanwhile and whose deletes were lost stay in the topic.
 */
export async function freshSnapshot(config: Config, dataset: Dataset): Promise<void> {
  const { generation } = await requireApplied(config, dataset);
  await withSource(config.postgres, (client) => rereadIsDue(client, config, dataset));
  const deadline = performance.now() + askedWithinMs;
  while ((await requireApplied(config, dataset)).reread === 'due') {
    if (performance.now() > deadline) {
      throw new LetheError('PLAN_REFUSED', `no transform asks for the rows of ${dataset.table}`, {
        fix: 'Start `lethe run`, and run this again.',
      });
    }
    await sleep(pauseMs);
  }
  await allHasArrived(config, dataset, generation, arrivedWithinMs);
  await withSource(config.postgres, (client) =>
    advanceReread(client, config, dataset, ['requested', 'merged']),
  );
}
