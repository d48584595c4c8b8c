import { createHash } from 'node:crypto';

/** 32 hex digits, the same whenever the same change is processed again. */
export function eventId(table: string, key: string, version: string): string {
  return createHash('sha256').update(`${table}\n${key}\n${version}`).digest('hex').slice(0, 32);
}

/**
 * A W3C trace id (https://www.w3.org/TR/trace-context/#trace-id) for all changes of one source transaction: 32 hex digits
 * from its number and the commit before it; a snapshot read, which has no transaction, from its version.
 */
export function traceId(version: string, txId: bigint | undefined, streamed: boolean): string {
  const transaction = streamed && txId !== undefined ? `${version.slice(0, 21)}\n${txId}` : version;
  return createHash('sha256').update(transaction).digest('hex').slice(0, 32);
}
