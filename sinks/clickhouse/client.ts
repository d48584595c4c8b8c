import { Agent } from 'node:https';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Config } from '../../schemas/config.ts';
import { resolveEndpoint } from '../endpoint.ts';

const requestTimeoutMs = 60_000;
const maxOpenConnections = 10;

/**
 * A client for the `clickhouse` section. It has no retries: the caller's loop has, and says so once. Its own log is
 * off, for it prints the server's messages, and these quote values.
 *
 * Requests are not compressed: gzip in Node costs more time than the network saves.
 */
export function createClickhouseClient(section: NonNullable<Config['clickhouse']>): ClickHouseClient {
  const endpoint = resolveEndpoint('clickhouse', section);
  return createClient({
    url: endpoint.origin,
    pathname: endpoint.path,
    ...(endpoint.username === undefined ? {} : { username: endpoint.username }),
    ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
    ...(endpoint.tls
      ? { http_agent: new Agent({ ...endpoint.tls, keepAlive: true, maxSockets: maxOpenConnections }) }
      : {}),
    application: 'lethe',
    request_timeout: requestTimeoutMs,
    max_open_connections: maxOpenConnections,
    compression: { request: false, response: false },
    log: { level: ClickHouseLogLevel.OFF },
  });
}
