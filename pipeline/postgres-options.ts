import type { PoolConfig } from 'pg';
import type { Tls } from '../schemas/config.ts';

/** A Postgres endpoint of lethe.yaml. */
export interface PostgresEndpoint {
  readonly url: string;
  readonly password?: string | undefined;
  readonly tls?: Tls;
}

/** Connection options for `pg`, with a bounded wait; `database` replaces the one in the URL. */
export function postgresOptions(endpoint: PostgresEndpoint, database?: string): PoolConfig {
  const url = new URL(endpoint.url);
  const tls = endpoint.tls;
  return {
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: endpoint.password ?? decodeURIComponent(url.password),
    database: database ?? decodeURIComponent(url.pathname.slice(1) || 'postgres'),
    connectionTimeoutMillis: 5_000,
    application_name: 'lethe',
    ...(tls
      ? {
          ssl:
            tls === true
              ? true
              : {
                  ...(tls.ca ? { ca: tls.ca } : {}),
                  ...(tls.cert ? { cert: tls.cert } : {}),
                  ...(tls.key ? { key: tls.key } : {}),
                  rejectUnauthorized: tls.verify,
                },
        }
      : {}),
  };
}
