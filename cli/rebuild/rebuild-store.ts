import type { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { AppliedHistory } from '../../pipeline/contract-rule.ts';
import type { StoreCopy } from '../../pipeline/store-copy.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, sinkDataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { Registry } from '../../schemas/registry.ts';
import { CleanWrites } from '../clean-writes.ts';
import { NewestChanges } from './newest-changes.ts';
import type { OpenStore } from './open-store.ts';
import { type ReplayCounts, TopicReplay } from './topic-replay.ts';

export interface RebuildParts {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly store: OpenStore;
  readonly reader: CommittedReader;
  readonly history: AppliedHistory;
  readonly signal: AbortSignal;
  readonly onStage: (stage: RebuildStage) => void;
  readonly onProgress: (done: number, total: number) => void;
}

export type RebuildStage = 'fill' | 'verify' | 'swap' | 'finish';

/** What a rebuilding came to. */
export interface RebuildResult extends ReplayCounts {
  /** Rows that readers see now; undefined where a run before this one had verified and swapped them. */
  readonly rows: number | undefined;
  /** What was replaced, and stays until somebody confirms. */
  readonly kept: string;
}

/**
 * Builds the rows of a table anew from the clean topic, and puts them in the place of those that readers see.
 *
 * The new ones follow the topic to its end and are verified. Then the live ones take no writes for a moment, so that the new ones have
 * all that readers have seen, and the places are changed in one step. What a write under way may have put into the old ones after that
 * stands in the topic before its end of then, which is read last. Whatever is cut short is done again: only `kept` says that it is done.
 */
export async function rebuildStore(parts: RebuildParts): Promise<RebuildResult> {
  const { dataset, config, store, reader, signal, onStage, onProgress } = parts;
  const { copy } = store;
  const state = await copy.state();
  const newest = new NewestChanges();
  const replay = new TopicReplay({
    reader,
    topic: cleanTopic(config, dataset.table),
    onVerdict: (change, { outcome }) => {
      if (outcome === 'written' || outcome === 'stale') newest.note(change);
    },
    onProgress,
    signal,
  });
  let rows: number | undefined;
  if (state !== 'swapped') {
    const next = writesTo(parts, store.next);
    await copy.prepare();
    // A run before this one may have died while the live one took no writes.
    if (state === 'building') await copy.release();
    onStage('fill');
    await replay.follow(next);
    onStage('verify');
    rows = await verify(dataset, newest, store);
    onStage('swap');
    await replay.follow(next);
    await swap(store, replay, next);
  }
  onStage('finish');
  await replay.settle(writesTo(parts, store.live));
  await copy.keep();
  return { ...replay.counts, rows, kept: (await copy.beside()) ?? '' };
}

async function swap({ copy }: OpenStore, replay: TopicReplay, next: CleanWrites): Promise<void> {
  try {
    await copy.hold();
    await replay.pass(next);
    await copy.swap();
  } catch (error) {
    // Whether it was swapped may be unknown: what readers see is to be written in either case.
    await copy.release().catch(() => {});
    throw error;
  }
}

async function verify({ table }: Dataset, newest: NewestChanges, { copy }: OpenStore): Promise<number> {
  const { rows, missing, extra } = await newest.compare(copy.eventIds());
  if (missing + extra === 0) return rows;
  throw new LetheError(
    'PLAN_REFUSED',
    `what was built of ${table} is not what its clean topic says: ${missing} of ${rows} rows are missing, ${extra} are not the newest; readers keep the older one`,
    { fix: 'See that nobody else writes there, run it with --discard, and again.' },
  );
}

function writesTo({ config, dataset, history }: RebuildParts, sink: OpenStore['live']): CleanWrites {
  const registry = new Registry(config.registry);
  return new CleanWrites({
    decoder: (id) => registry.decoder(id),
    dataset: sinkDataset(dataset, sink.name),
    sink,
    history,
  });
}

/** PLAN_REFUSED while what an earlier rebuilding replaced is kept: another one would have nowhere to keep its own. */
export async function requireConfirmed({ table }: Dataset, copy: StoreCopy): Promise<void> {
  if ((await copy.state()) !== 'kept') return;
  throw new LetheError(
    'PLAN_REFUSED',
    `${await copy.beside()} is kept from the last rebuilding of ${table}`,
    {
      fix: 'Run it with --confirm: what is kept is deleted. Then it may be rebuilt again.',
    },
  );
}
