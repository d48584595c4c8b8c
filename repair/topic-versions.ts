import type { CommittedReader } from '../pipeline/committed-reader.ts';
import { header } from '../schemas/record-headers.ts';
import { isRetained } from '../schemas/retained-row.ts';
import { compareVersions, parseVersion, type Version } from '../schemas/version.ts';

/** What a clean topic has of a row. */
export interface TopicVersion {
  /** The newest version that stands in the topic. */
  readonly version: Version;
  /** Whether its record says of itself that the law has the row kept. */
  readonly isRetained: boolean;
}

/** The versions of these rows in the clean topic. Reads the topic through, and holds only what was asked for. */
export async function readTopicVersions(
  reader: CommittedReader,
  topic: string,
  keys: ReadonlySet<string>,
): Promise<ReadonlyMap<string, TopicVersion>> {
  const found = new Map<string, TopicVersion>();
  if (keys.size === 0) return found;
  for (const { partition } of await reader.ends([topic])) {
    await reader.readAll(topic, partition, ({ key, headers }) => {
      if (!keys.has(key)) return;
      const version = parseVersion(headers.get(header.version) ?? '');
      if (!version) return;
      const before = found.get(key);
      if (before && compareVersions(version, before.version) < 0) return;
      found.set(key, { version, isRetained: isRetained(headers.get(header.contract) ?? '') });
    });
  }
  return found;
}
