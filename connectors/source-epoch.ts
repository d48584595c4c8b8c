import type { Admin } from 'kafkajs';
import { groupLag } from '../pipeline/lag.ts';
import { VersionClock } from '../pipeline/version-clock.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { rawTopic, transformGroup } from '../schemas/names.ts';

/** A source, and how many were before it. */
export interface SourceEpoch {
  /** First part of the version of all that comes from it. */
  readonly epoch: number;
  /** Its identity, see source-identity.ts. */
  readonly source: string;
}

/**
 * Under which epoch changes of this source come. The connector's configuration keeps it, with the source that it was given for: outside of
 * the source, for a restored one knows only what was when the backup was made. Another source gets the next epoch. So does a connector
 * that is made anew over stores that have rows: where its predecessor stood is forgotten, and its snapshot is to replace them all.
 *
 * `noted`: what the connector says; undefined where there is none. `seen`: the newest epoch that the transforms have seen; 0 if none.
 */
export function decideEpoch(
  source: string,
  noted: Partial<SourceEpoch> | undefined,
  seen: number,
): SourceEpoch {
  if (!noted) return { epoch: seen + 1, source };
  // One of an earlier version, which knew no epochs.
  const epoch = noted.epoch ?? 1;
  if (noted.source === undefined || noted.source === source)
    return { epoch: Math.max(epoch, seen, 1), source };
  return { epoch: Math.max(epoch, seen) + 1, source };
}

/** The newest epoch among the versions that the transforms gave; 0 where they gave none yet. */
export async function readNewestEpoch(
  admin: Admin,
  config: Pick<Config, 'name' | 'topics'>,
  datasets: readonly Dataset[],
): Promise<number> {
  const there = new Set(await admin.listTopics());
  const topics = datasets.map(({ table }) => rawTopic(config, table)).filter((topic) => there.has(topic));
  const lags = await groupLag(admin, transformGroup(config), topics);
  return Math.max(0, ...lags.map(({ metadata }) => (metadata ? VersionClock.from(metadata).epoch : 0)));
}
