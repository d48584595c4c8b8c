import type { Client } from '@elastic/elasticsearch';
import { toLetheError } from './errors.ts';

/** A request that changes something; `what` says it in an error. */
export async function send(
  client: Client,
  method: string,
  path: string,
  body: object | undefined,
  what: string,
): Promise<void> {
  try {
    await client.transport.request(body === undefined ? { method, path } : { method, path, body });
  } catch (error) {
    throw toLetheError(error, what);
  }
}
