import { CLICKHOUSE_USER } from './parts/clickhouse.ts';
import type { Ports } from './ports.ts';
import type { StackState } from './stack-state.ts';

/** Where the servers answer, credentials included. */
export interface Endpoints {
  readonly postgres: { readonly url: string };
  readonly kafka: { readonly brokers: readonly string[] };
  readonly connect: { readonly url: string };
  /** Base of the Confluent-compatible API. */
  readonly registry: { readonly url: string };
  readonly elasticsearch: { readonly url: string };
  readonly clickhouse: { readonly url: string };
}

/** The endpoints of a stack with these ports and passwords. */
export function endpointsOf(ports: Ports, passwords: StackState['passwords']): Endpoints {
  return {
    postgres: { url: `postgres://postgres:${passwords.postgres}@127.0.0.1:${ports.postgres}/postgres` },
    kafka: { brokers: [`127.0.0.1:${ports.kafka}`] },
    connect: { url: `http://127.0.0.1:${ports.connect}` },
    registry: { url: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7` },
    elasticsearch: { url: `http://127.0.0.1:${ports.elasticsearch}` },
    clickhouse: { url: `http://${CLICKHOUSE_USER}:${passwords.clickhouse}@127.0.0.1:${ports.clickhouse}` },
  };
}
