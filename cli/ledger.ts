import type { SubjectRef } from '../erasure/suppression.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { ledgerPlace } from '../keys/ledger/ledger-place.ts';
import {
  keyDigest,
  ledgerName,
  type LedgerRecord,
  type LedgerState,
  newestRecords,
  openRecord,
  sealRecord,
} from '../keys/ledger/ledger-record.ts';
import { readLedgerTopic, writeLedgerTopic } from '../pipeline/ledger-topic.ts';
import type { Config } from '../schemas/config.ts';
import { keyUse } from '../schemas/key-use.ts';
import { ledgerTopic } from '../schemas/names.ts';
import { storeKey } from './store-key.ts';

const use = keyUse('pseudonym', 'erasure-ledger');

/** What is done with a person, and for what. */
export interface LedgerEntry {
  readonly subject: SubjectRef;
  readonly state: LedgerState;
  /** Id of the request, or of the restriction. */
  readonly request: string;
  readonly by?: 'restriction';
  /** Of who is let in again: the new key's id. */
  readonly keyId?: string;
}

/**
 * Notes in Kafka what is done with persons, so that a key store that is restored from an older backup can be told. To be called before somebody
 * is suppressed or a key is destroyed, and after a suppression is lifted or somebody is let in again: whoever is cut short in between has a ledger
 * by which a person is rather kept out than brought back.
 */
export async function noteInLedger(config: Config, entries: readonly LedgerEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const key = await storeKey(config, use);
  const place = await withKeyStore(config, ledgerPlace);
  const notes = entries.map(({ subject, state, request, by, keyId }) => {
    const record: LedgerRecord = {
      ...place,
      type: subject.type,
      digest: subject.digest.toString('hex'),
      state,
      by: by ?? 'request',
      request,
      key: keyId === undefined ? '' : keyDigest(keyId, key),
    };
    return { key: ledgerName(record), value: sealRecord(record, key) };
  });
  await writeLedgerTopic(config, notes);
}

/** The ledger as it was read, every record of it by this key store. */
export interface Ledger {
  /** The newest of each request, restriction and return, in their order. */
  readonly records: readonly LedgerRecord[];
  /** The newest timeline that it tells of. */
  readonly timeline: number;
  /** How many records were left out that are none of this key store's. */
  readonly leftOut: number;
  /** Whether the record lets in somebody under this key. */
  readonly isKeyOf: (record: LedgerRecord, keyId: string) => boolean;
}

/** KEY_STORE_INVALID where a record is none of this key store's, unless those are to be left out. */
export async function readLedger(config: Config, invalid: 'refused' | 'left-out'): Promise<Ledger> {
  const key = await storeKey(config, use);
  const { store } = await withKeyStore(config, ledgerPlace);
  const topic = ledgerTopic(config);
  const all: LedgerRecord[] = [];
  let leftOut = 0;
  for await (const record of readLedgerTopic(config)) {
    try {
      all.push(openRecord(record, { store, key }, `${topic}, offset ${record.offset}`));
    } catch (error) {
      if (invalid === 'refused') throw error;
      leftOut++;
    }
  }
  const records = newestRecords(all);
  return {
    records,
    // They stand in this order.
    timeline: records.at(-1)?.timeline ?? 0,
    leftOut,
    isKeyOf: (record, keyId) => record.key === keyDigest(keyId, key),
  };
}
