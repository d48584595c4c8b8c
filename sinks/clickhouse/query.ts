import type { ClickHouseClient } from '@clickhouse/client';
import { toLetheError } from './errors.ts';

/** The rows of a query, every value as its text or number; `what` says it in an error. */
export async function query<T>(
  client: ClickHouseClient,
  text: string,
  params: Readonly<Record<string, string | readonly string[]>>,
  what: string,
): Promise<T[]> {
  try {
    const answer = await client.query({ query: text, query_params: { ...params }, format: 'JSONEachRow' });
    return await answer.json<T>();
  } catch (error) {
    throw toLetheError(error, what);
  }
}
