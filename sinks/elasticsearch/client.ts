import { Client, type ClientOptions } from '@elastic/elasticsearch';
import type { Config } from '../../schemas/config.ts';
import { resolveEndpoint } from '../endpoint.ts';

const requestTimeoutMs = 60_000;

/**
 * A client for the `elasticsearch` section. It never retries by itself: the caller's loop does, and says so once.
 *
 * Requests are not compressed: Node is what bounds a bulk load, and gzip costs more time there than the network
 * saves. Answers are kept short by `filter_path` instead.
 *
 * `timeoutMs`: no request of the client's may take longer, whatever it asks for itself.
 */
export function createElasticsearchClient(
  section: NonNullable<Config['elasticsearch']>,
  timeoutMs = requestTimeoutMs,
): Client {
  const endpoint = resolveEndpoint('elasticsearch', section);
  return new Client({
    node: `${endpoint.origin}${endpoint.path}`,
    ...(endpoint.tls ? { tls: { ...endpoint.tls } } : {}),
    ...authentication(section.apiKey, endpoint.username, endpoint.password),
    maxRetries: 0,
    requestTimeout: timeoutMs,
    compression: false,
    redaction: { type: 'remove' },
  });
}

function authentication(
  apiKey: string | undefined,
  username: string | undefined,
  password: string | undefined,
): Pick<ClientOptions, 'auth'> {
  if (apiKey !== undefined) return { auth: { apiKey } };
  if (username !== undefined) return { auth: { username, password: password ?? '' } };
  return {};
}
