import type { Kafka } from 'kafkajs';
import { kafkaError } from '../pipeline/kafka.ts';
import { sendRecords } from '../pipeline/send-records.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { cleanTopic } from '../schemas/names.ts';
import { formatVersion } from '../schemas/version.ts';
import { ownHeaders } from './own-headers.ts';
import type { ExtraRow } from './reconcile-table.ts';

/**
 * Writes tombstones for rows that the source has not, into the clean topic, from where the stores get them as any other delete. Each has a
 * version just above what somebody has of the row: so it beats that, and loses against whatever the source does next. If that comes at
 * the same moment and stands before the tombstone, the topic's last word is wrong until the row is looked at again, which
 * the reconciliation does, and has it read again.
 */
export async function buryRows(
  kafka: Kafka,
  config: Config,
  dataset: Dataset,
  rows: readonly ExtraRow[],
): Promise<void> {
  const now = Date.now();
  const messages = rows.map(({ key, above }) => ({
    key: Buffer.from(key),
    value: null,
    headers: ownHeaders(dataset, 'd', key, formatVersion({ ...above, seq: above.seq + 1n }), now),
  }));
  try {
    await sendRecords(kafka, cleanTopic(config, dataset.table), [messages]);
  } catch (cause) {
    throw kafkaError(cause);
  }
}
