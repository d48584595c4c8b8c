import type { Config } from '../schemas/config.ts';
import { ledgerTopic } from '../schemas/names.ts';
import type { CommittedRecord } from './committed-reader.ts';
import { type Noted, readNoted, writeNoted } from './noted-topic.ts';

type Named = Pick<Config, 'name' | 'kafka' | 'topics'>;

/**
 * The ledger in the order of writing, what compaction has left of it and what somebody wrote beside. Nothing where the topic is not there yet;
 * UNREACHABLE where Kafka does not answer.
 */
export function readLedgerTopic(config: Named): AsyncGenerator<CommittedRecord> {
  return readNoted(config, ledgerTopic(config));
}

/** Writes them to the ledger, on every replica that is there, before it returns. */
export async function writeLedgerTopic(config: Named, notes: readonly Noted[]): Promise<void> {
  await writeNoted(config, ledgerTopic(config), notes);
}
