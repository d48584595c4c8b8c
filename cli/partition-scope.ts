import type { Admin } from 'kafkajs';
import { BrokerConnections } from '../pipeline/broker-connections.ts';
import type { SessionScope } from '../pipeline/partition-session.ts';
import type { Config } from '../schemas/config.ts';
import * as names from '../schemas/names.ts';

/** An input partition of a table's transform, for a command that commits something in it; see {@link inPartition}. */
export function partitionScope(
  config: Config,
  admin: Admin,
  table: string,
  partition: number,
): Omit<SessionScope, 'output'> {
  const topic = names.rawTopic(config, table);
  return {
    connect: () => new BrokerConnections(config, 'partition'),
    admin,
    groupId: names.transformGroup(config),
    topic,
    partition,
    transactionalId: names.transactionalId(config, topic, partition),
  };
}
