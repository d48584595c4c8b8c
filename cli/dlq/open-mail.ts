import { anchorKeys } from '../anchored-keys.ts';
import { writeAudit } from '../../keys/audit/audit-log.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { createPayloadOpener } from '../../keys/payload-sealer.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { PayloadOpener } from '../../pipeline/dead-letters.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import { type OpenLetter, readOpenLetters } from '../../pipeline/open-letters.ts';
import { LetterBox } from '../../pipeline/letter-box.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { deadLetterSegmentMs, deadLetterTopic } from '../../schemas/names.ts';

/** The open dead letters of these tables; nothing of what they hold is read. */
export async function openLetters(
  config: Config,
  datasets: readonly Pick<Dataset, 'table'>[],
): Promise<OpenLetter[]> {
  return withReader(config, (reader) =>
    readOpenLetters(
      reader,
      datasets.map(({ table }) => ({ table, topic: deadLetterTopic(config, table) })),
    ),
  );
}

/** Lends a reader of committed records. */
export async function withReader<T>(
  config: Config,
  use: (reader: CommittedReader) => Promise<T>,
): Promise<T> {
  const reader = new CommittedReader(new BrokerConnections(config, 'dlq'));
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

/**
 * Lends what opens payloads: it takes the master key and the key store. That somebody asked for it stands in the audit before anything is
 * opened.
 */
export async function withOpener<T>(
  config: Config,
  asked: { readonly for: 'show' | 'retry'; readonly letters: string },
  use: (opener: PayloadOpener) => Promise<T>,
): Promise<T> {
  await writeAudit(config, 'payload-asked', asked);
  await anchorKeys(config);
  const keys = openKeyStore(config);
  try {
    return await use(createPayloadOpener(keys));
  } finally {
    await keys.close();
  }
}

/** Lends what settles letters; their bytes are on their way out when it is done. */
export async function withBox<T>(config: Config, use: (box: LetterBox) => Promise<T>): Promise<T> {
  const box = new LetterBox(createKafka(config, 'dlq'), deadLetterSegmentMs);
  await box.connect();
  try {
    return await use(box);
  } finally {
    await box.close();
  }
}
