import { BrokerConnections } from '../pipeline/broker-connections.ts';
import { CommittedReader } from '../pipeline/committed-reader.ts';
import { inPartition } from '../pipeline/in-partition.ts';
import { createKafka, kafkaError } from '../pipeline/kafka.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { rawTopic } from '../schemas/names.ts';
import type { Version } from '../schemas/version.ts';
import { partitionScope } from './partition-scope.ts';

/**
 * Lets all that comes from now on in the input partitions of these tables be above a version. An erasure's tombstones stand above the source's
 * position; a row that is read again stands just above what its partition had last, which may be of long before, where the table is quiet. Each
 * partition is taken for a moment from the process that has it.
 */
export async function raiseClocks(
  config: Config,
  datasets: readonly Dataset[],
  above: Version,
): Promise<void> {
  const admin = createKafka(config, 'clocks').admin();
  const reader = new CommittedReader(new BrokerConnections(config, 'clocks'));
  try {
    await admin.connect().catch((cause: unknown) => {
      throw kafkaError(cause);
    });
    for (const { table } of datasets) {
      for (const { partition, next: first } of await reader.starts([rawTopic(config, table)])) {
        await inPartition({ ...partitionScope(config, admin, table, partition), output: [] }, (session) => {
          const clock = session.clock.copy();
          clock.raise(above);
          // Where nothing was read yet, reading begins at the start all the same.
          return session.commit(nothing(), session.nextOffset ?? first, clock);
        });
      }
    }
  } finally {
    await reader.close();
    await admin.disconnect().catch(() => {});
  }
}

async function* nothing(): AsyncGenerator<never> {}
