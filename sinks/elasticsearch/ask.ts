import type { Client } from '@elastic/elasticsearch';
import { toLetheError } from './errors.ts';

/** The answer to a request that changes nothing; `what` says it in an error. */
export async function ask<T>(client: Client, path: string, what: string): Promise<T> {
  try {
    return await client.transport.request<T>({ method: 'GET', path });
  } catch (error) {
    throw toLetheError(error, what);
  }
}
