import type { CommittedReader } from '../pipeline/committed-reader.ts';
import { header } from '../schemas/record-headers.ts';
import { compareVersions, parseVersion, type Version } from '../schemas/version.ts';

/** What a clean topic has of a row. */
export interface TopicVersion {
  /** The newest version that stands in the topic. */
  readonly version: Version;
  /** Whether the last record of the row, which compaction keeps, is of that version. */
  readonly isLast: boolean;
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
      const isNewest = !before || compareVersions(version, before.version) >= 0;
      found.set(key, isNewest ? { version, isLast: true } : { version: before.version, isLast: false });
    });
  }
  return found;
}
