import { hash } from 'node:crypto';

/** 32 hex digits, the same whenever the same change is processed again. */
export function eventId(table: string, key: string, version: string): string {
  return hash('sha256', `${table}\n${key}\n${version}`, 'hex').slice(0, 32);
}

/**
 * W3C trace ids (https://www.w3.org/TR/trace-context/#trace-id), one for all changes of a source transaction: 32 hex digits from
 * its number and the commit before it. Reads of one snapshot share theirs.
 */
export class TraceIds {
  private lastTransaction = '';
  private lastId = '';

  /** The id for a change with this version, in the transaction with this number. */
  of(version: string, txId: bigint | undefined): string {
    const transaction = `${version.slice(0, 21)}\n${txId ?? ''}`;
    if (transaction !== this.lastTransaction) {
      this.lastTransaction = transaction;
      this.lastId = hash('sha256', transaction, 'hex').slice(0, 32);
    }
    return this.lastId;
  }
}
