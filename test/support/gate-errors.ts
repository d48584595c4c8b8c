import { openStore } from '../../cli/rebuild/open-store.ts';
import { SourceGate } from '../../connectors/postgres/source-gate.ts';
import { Truncation } from '../../pipeline/truncation.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { sinkNames } from '../../schemas/sink-name.ts';

/** Meets each refusal of a gate, of a rebuild and of a truncate that waits, all of which need real servers. Gives the codes. */
export async function refusals(config: Config, dataset: Dataset): Promise<unknown[]> {
  const met = [
    await gateRefusals(config, dataset),
    await copyRefusals(config, dataset),
    [await truncateRefusal()],
  ];
  return [...new Set(met.flatMap((codes) => [...codes]))];
}

/** Meets each refusal of the gate: an older contract, columns in no contract, a column that is gone. Gives the codes. */
async function gateRefusals(config: Config, dataset: Dataset): Promise<Set<unknown>> {
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

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** Meets each refusal of a store's rebuild: nothing that could be replaced, nothing that was built. Gives the codes. */
async function copyRefusals(config: Config, dataset: Dataset): Promise<Set<unknown>> {
  const refusals = new Set<unknown>();
  for (const sink of sinkNames) {
    for (const [own, step] of [
      [{ ...dataset, table: 'public.nowhere' }, 'prepare'],
      [dataset, 'swap'],
    ] as const) {
      const store = openStore(config, sink, own, 1);
      refusals.add(await store.copy[step]().catch(codeOf));
      await store.close();
    }
  }
  return refusals;
}

/** The code of a truncate that waits for the other partition. */
async function truncateRefusal(): Promise<unknown> {
  const admin = {
    fetchTopicOffsets: async () => [0, 1].map((partition) => ({ partition, high: '5' })),
    fetchOffsets: async () => [{ partitions: [{ partition: 1, offset: '4' }] }],
  };
  const scope = { connect: undefined, admin, groupId: 'g', rawTopic: 'raw', cleanTopic: 'clean' } as never;
  return await new Truncation(scope, 0).reached().catch(codeOf);
}
