import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectClient } from '../connectors/connect/connect-client.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { connectorName } from '../schemas/names.ts';
import { olderValues } from './older-values.ts';
import { buryRowsGone } from './rows-gone.ts';
import { waitForSinks } from './wait-for-sinks.ts';

const defaultLimitMs = 60_000;
const pauseMs = 200;

/**
 * Waits until the stores of this generation hold every row of the table: what was asked of the connector has reached it, no rows are
 * being read again, all of it has passed transform and sinks, and nothing older is in force. PLAN_REFUSED if that takes too
 * long: what has been done so far stays, and the next apply goes on from there.
 */
export async function allHasArrived(
  config: Config,
  dataset: Dataset,
  generation: number,
  limitMs = defaultLimitMs,
): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  const connect = new ConnectClient(config.connect);
  try {
    await waitForSinks(config, [dataset], { signal });
    while (await connect.isRereading(connectorName(config), dataset.table)) {
      await sleep(pauseMs, undefined, { signal });
    }
    await waitForSinks(config, [dataset], { signal });
    if ((await buryRowsGone(config, dataset)) > 0) await waitForSinks(config, [dataset], { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw behind(dataset);
  }
  if ((await olderValues(config, dataset, generation)).inForce > 0) throw behind(dataset);
}

function behind({ table }: Dataset): LetheError {
  return new LetheError(
    'PLAN_REFUSED',
    `not all rows of ${table} have come to the stores built beside; readers keep the older ones`,
    { fix: 'Look at `lethe status`, start what does not run, and run `lethe apply` again.' },
  );
}
