import { isIP } from 'node:net';
import { ConnectionPool, type Connection, findCoordinatorV4, metadataV10 } from '@platformatic/kafka';
import type { Config } from '../schemas/config.ts';
import { whenReady } from './broker-patience.ts';

/** Kafka's key types of a coordinator: https://kafka.apache.org/protocol#The_Messages_FindCoordinator */
const coordinatorTypes = { group: 0, transaction: 1 } as const;

/** Number of the broker that leads each partition, by topic and partition; -1 where there is none. */
export type Leaders = ReadonlyMap<string, readonly number[]>;

/**
 * Connections to the brokers for one transactional producer, each opened at its first use. Nothing is looked up again: what
 * has moved answers with an error, upon which the owner closes these and opens others.
 */
export class BrokerConnections {
  private readonly pool: ConnectionPool;
  private readonly bootstrap: readonly { host: string; port: number }[];
  private readonly brokers = new Map<number, { host: string; port: number }>();

  constructor({ name, kafka }: Pick<Config, 'name' | 'kafka'>, role: string) {
    const { tls, sasl } = kafka;
    this.bootstrap = kafka.brokers.map((broker) => {
      const at = broker.lastIndexOf(':');
      return { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) };
    });
    this.pool = new ConnectionPool(`lethe-${name}-${role}`, {
      connectTimeout: 5_000,
      requestTimeout: 30_000,
      // Brokers behind a proxy are told apart by the name; an address is none.
      ...(tls ? { tls: tlsOptions(tls), tlsServerName: !this.bootstrap.some(({ host }) => isIP(host)) } : {}),
      ...(sasl ? { sasl: { ...sasl, mechanism: saslMechanisms[sasl.mechanism] } } : {}),
    });
  }

  /** Whichever of the configured brokers answers. */
  any(): Promise<Connection> {
    return this.pool.getFirstAvailable([...this.bootstrap]);
  }

  /** The broker that coordinates a consumer group or a transactional id. */
  async coordinator(type: keyof typeof coordinatorTypes, key: string): Promise<Connection> {
    const any = await this.any();
    const ask = () => findCoordinatorV4.api.async(any, coordinatorTypes[type], [key]);
    const { coordinators } = await whenReady(ask);
    return this.pool.get(coordinators[0]!);
  }

  /** Who leads the partitions of the topics; throws for a topic that does not exist. */
  async leaders(topics: readonly string[]): Promise<Leaders> {
    return new Map([...(await this.topics(topics))].map(([name, { leaders }]) => [name, leaders]));
  }

  /** Who leads the partitions of the topics, and which topics they are: one that is made again has another id. */
  async topics(
    names: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly id: string; readonly leaders: readonly number[] }>> {
    const found = await metadataV10.api.async(await this.any(), [...names], false, false);
    for (const { nodeId, host, port } of found.brokers) this.brokers.set(nodeId, { host, port });
    return new Map(
      found.topics.map(({ name, topicId, partitions }) => {
        const inOrder = partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex);
        return [name!, { id: topicId, leaders: inOrder.map((p) => p.leaderId) }];
      }),
    );
  }

  /** The broker with this number, as {@link leaders} names them. */
  broker(nodeId: number): Promise<Connection> {
    const address = this.brokers.get(nodeId);
    if (!address) throw new Error('a partition has no leader');
    return this.pool.get(address);
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}

const saslMechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

function tlsOptions(tls: NonNullable<Config['kafka']['tls']>): object {
  if (tls === true || tls === false) return {};
  const { ca, cert, key, verify } = tls;
  return {
    rejectUnauthorized: verify,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  };
}
