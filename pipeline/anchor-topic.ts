import type { Config } from '../schemas/config.ts';
import { anchorTopic } from '../schemas/names.ts';
import { readNoted, writeNoted } from './noted-topic.ts';

type Named = Pick<Config, 'name' | 'kafka' | 'topics'>;

/**
 * What has been noted of each name, the newest value. Nothing where the topic is not there yet; UNREACHABLE where Kafka does not answer.
 */
export async function readAnchors(config: Named): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, value } of readNoted(config, anchorTopic(config))) {
    if (value) found.set(key, value.toString());
    else found.delete(key);
  }
  return found;
}

/** Notes it, on every replica that is there, before it returns. */
export async function writeAnchor(config: Named, name: string, value: string): Promise<void> {
  await writeNoted(config, anchorTopic(config), [{ key: name, value }]);
}
