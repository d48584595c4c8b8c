import { setTimeout as sleep } from 'node:timers/promises';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { readNewestEpoch } from '../../connectors/source-epoch.ts';
import type { StepWork } from '../../erasure/runner.ts';
import { recordsOf } from '../../erasure/subject-index.ts';
import { suppress } from '../../erasure/suppression.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { keyLeaseMs } from '../../keys/postgres-key-store.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { fenceProcessors } from '../../pipeline/fence.ts';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import * as names from '../../schemas/names.ts';
import { formatVersion, parseLsn } from '../../schemas/version.ts';
import { noteInLedger } from '../ledger.ts';
import { datasetsOf, type ErasureContext, typesOf } from './context.ts';

/** More than the grain of timers. */
const graceMs = 100;

/**
 * Nothing of the persons passes any more. They are suppressed; a lease later nobody goes by an older look; and then all that was begun before
 * is fenced off, in every process, also in one that does not answer. What is in the topics now is all there is, and the source's position is
 * read for the tombstones to stand above it.
 */
export function suppressedWork(context: ErasureContext, by?: 'restriction'): StepWork {
  const { config } = context.project;
  return async (erasures, signal) => {
    // Before it is done: a key store from before is told by it whom it has to suppress again.
    await noteInLedger(
      config,
      erasures.map(({ request: { id, subject } }) => ({
        subject,
        state: 'suppressed',
        request: id,
        ...(by ? { by } : {}),
      })),
    );
    await withKeyStore(config, async (client) => {
      for (const { request } of erasures) await suppress(client, request.id, request.subject);
    });
    await sleep(keyLeaseMs + graceMs, undefined, { signal });
    const datasets = datasetsOf(context, typesOf(erasures));
    const fenced = await fenceProcessors({
      connect: () => new BrokerConnections(config, 'fence'),
      groupId: names.transformGroup(config),
      topics: datasets.map(({ table }) => names.rawTopic(config, table)),
      transactionalId: (topic, partition) => names.transactionalId(config, topic, partition),
    });
    const barrier = await readBarrier(config, context.project.datasets);
    return withKeyStore(config, async (client) => {
      const results = [];
      for (const { request, inventory } of erasures) {
        const { type, digest } = request.subject;
        const known = new Map(inventory.records.map((record) => [`${record.table}\n${record.key}`, record]));
        for (const record of await recordsOf(client, type, digest, 'gone'))
          known.set(`${record.table}\n${record.key}`, record);
        const records = [...known.values()];
        results.push({
          evidence: { partitionsFenced: fenced, records: records.length, position: barrier },
          inventory: { ...inventory, records, barrier },
        });
      }
      return results;
    });
  };
}

/** A version above all that is committed at the source by now. */
async function readBarrier(config: Config, datasets: readonly Dataset[]): Promise<string> {
  const lsn = await withSource(config.postgres, async (client) => {
    const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    return parseLsn(rows[0]!.lsn);
  });
  const admin = createKafka(config, 'erase').admin();
  try {
    await admin.connect();
    const epoch = Math.max(1, await readNewestEpoch(admin, config, datasets));
    return formatVersion({ epoch: BigInt(epoch), commit: lsn, lsn, seq: 0n });
  } catch (cause) {
    throw kafkaError(cause);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
