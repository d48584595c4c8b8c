import { readAppliedContracts } from '../../connectors/postgres/applied-contracts.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { CopyState } from '../../pipeline/store-copy.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { SinkName } from '../../schemas/sink-name.ts';
import { openStore } from './open-store.ts';

/** A table whose rows in a store are rebuilt, or were and nobody confirmed. */
export interface RebuildStatus {
  readonly table: string;
  readonly sink: SinkName;
  /** `unknown`: the store does not say. */
  readonly state: Exclude<CopyState, 'none'> | 'unknown';
  /** Index or table that stands beside what readers see. */
  readonly beside?: string;
}

/** What is rebuilt, as the stores say; none of it is a fault. */
export async function readRebuilds(config: Config, datasets: readonly Dataset[]): Promise<RebuildStatus[]> {
  const applied = await withSource(config.postgres, (client) => readAppliedContracts(client, config));
  const found: RebuildStatus[] = [];
  for (const dataset of datasets) {
    const generation = applied.get(dataset.table)?.generation;
    if (generation === undefined) continue;
    for (const sink of dataset.contract.sinks) {
      const status = await statusOf(config, dataset, sink, generation);
      if (status) found.push(status);
    }
  }
  return found;
}

async function statusOf(
  config: Config,
  dataset: Dataset,
  sink: SinkName,
  generation: number,
): Promise<RebuildStatus | undefined> {
  const store = openStore(config, sink, dataset, generation);
  const { table } = dataset;
  try {
    const [state, beside] = [await store.copy.state(), await store.copy.beside()];
    return state === 'none' ? undefined : { table, sink, state, ...(beside === undefined ? {} : { beside }) };
  } catch (error) {
    // A store that is away is no reason to say nothing of the rest.
    if (error instanceof LetheError) return { table, sink, state: 'unknown' };
    throw error;
  } finally {
    await store.close();
  }
}

/** What is to be done about it, for people. */
export function whatToDo({ table, sink, state, beside }: RebuildStatus): string {
  const run = `lethe rebuild ${sink} ${table}`;
  switch (state) {
    case 'building':
      return `${beside} is built beside; \`${run}\` goes on if nobody runs it, \`--discard\` gives it up`;
    case 'swapped':
      return `in its place, not complete: run \`${run}\` if nobody does`;
    case 'kept':
      return `in its place; ${beside} is kept until \`${run} --confirm\``;
    default:
      return 'not known: the store does not say';
  }
}
