import type { ClickHouseClient } from '@clickhouse/client';
import { toLetheError } from './errors.ts';

/** A statement that changes something; `what` says it in an error. */
export async function command(client: ClickHouseClient, query: string, what: string): Promise<void> {
  try {
    await client.command({ query });
  } catch (error) {
    throw toLetheError(error, what);
  }
}
