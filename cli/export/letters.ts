import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { splitPayload } from '../../pipeline/dead-letters.ts';
import { readOpenLetters, readSealed } from '../../pipeline/open-letters.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { deadLetterTopic } from '../../schemas/names.ts';
import { Registry } from '../../schemas/registry.ts';
import { type LetterContent, letterContent } from '../dlq/letter-content.ts';
import { withReader } from '../dlq/open-mail.ts';
import { SubjectLetters } from '../dlq/subject-letters.ts';

/** A record of a person that could not be processed, and lies sealed until somebody sees to it. */
export interface ExportedLetter {
  readonly stage: string;
  readonly code: string;
  /** ISO 8601. */
  readonly time: string;
  readonly content: LetterContent;
}

/**
 * The open dead letters about rows of a person in one table. `keys`: as consumers see them and as the source has them. Letters of others are
 * opened in looking for them, and nothing of those is kept.
 */
export async function exportedLetters(
  config: Config,
  store: PostgresKeyStore,
  dataset: Dataset,
  keys: ReadonlySet<string>,
): Promise<ExportedLetter[]> {
  const { table } = dataset;
  const own = new SubjectLetters(config, [dataset], new Map([[table, keys]]));
  const opener = createPayloadOpener(store);
  const registry = new Registry(config.registry);
  return withReader(config, async (reader) => {
    const open = await readOpenLetters(reader, [{ table, topic: deadLetterTopic(config, table) }]);
    const letters: ExportedLetter[] = [];
    for await (const some of readSealed(reader, open)) {
      for (const { letter, sealed } of some) {
        const opened = await opener.open(sealed, letter.letterTopic);
        const payload = opened.kind === 'opened' ? splitPayload(opened.payload) : undefined;
        if (!payload || !(await own.concerns(letter, payload))) continue;
        const { stage, code, timeMs } = letter;
        const content = await letterContent(opened, registry);
        letters.push({ stage, code, time: new Date(timeMs).toISOString(), content });
      }
    }
    return letters;
  });
}
