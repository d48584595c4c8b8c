import { createKafka } from '../pipeline/kafka.ts';
import { readTopics } from '../pipeline/read-topics.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { cleanTopic } from '../schemas/names.ts';
import { header } from '../schemas/record-headers.ts';
import { isRetained } from '../schemas/retained-row.ts';
import { parseVersion, type Version, zeroVersion } from '../schemas/version.ts';

/** Records of a clean topic that were made under an older contract. */
export interface OlderRecords {
  /** Also those that later ones replace. */
  readonly all: number;
  /** Keys of which such a one is the last, with its version. */
  readonly last: ReadonlyMap<string, Version>;
}

/** Reads the whole clean topic of the table. */
export async function readOlderRecords(config: Config, dataset: Dataset): Promise<OlderRecords> {
  const last = new Map<string, Version>();
  let all = 0;
  await readTopics(createKafka(config, 'status'), [cleanTopic(config, dataset.table)], ({ message }) => {
    const key = String(message.key);
    const text = (name: string): string => String(message.headers?.[name] ?? '');
    const contract = text(header.contract);
    // What the law has to be kept stays as it was made.
    if (message.value === null || contract === dataset.digest || isRetained(contract)) {
      last.delete(key);
      return;
    }
    all++;
    last.set(key, parseVersion(text(header.version)) ?? zeroVersion);
  });
  return { all, last };
}
