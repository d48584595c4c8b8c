import { setTimeout as sleep } from 'node:timers/promises';
import { incomplete } from '../../erasure/incomplete.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { cleanTopic } from '../../schemas/names.ts';
import { header } from '../../schemas/record-headers.ts';
import { parseVersion, type Version } from '../../schemas/version.ts';

const limitMs = 300_000;
const lookMs = 500;

/**
 * Waits until a delete is the last that the clean topic has of each of these records, and gives the versions of these deletes. Records that the
 * topic does not have are left out.
 */
export async function awaitTombstones(
  config: Config,
  dataset: Dataset,
  keys: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, Version>> {
  const reader = new CommittedReader(new BrokerConnections(config, 'restrict'));
  const topic = cleanTopic(config, dataset.table);
  const deadline = performance.now() + limitMs;
  try {
    for (;;) {
      const deleted = new Map<string, Version>();
      const alive = new Set<string>();
      for (const { partition } of await reader.ends([topic])) {
        await reader.readAll(topic, partition, ({ key, headers }) => {
          const version = parseVersion(headers.get(header.version) ?? '');
          if (!keys.has(key) || !version) return;
          deleted.delete(key);
          alive.delete(key);
          if (headers.get(header.op) === 'd') deleted.set(key, version);
          else alive.add(key);
        });
      }
      if (alive.size === 0) return deleted;
      if (performance.now() > deadline)
        throw incomplete(
          `records of ${dataset.table} that no tombstone replaces (lethe run writes them)`,
          alive.size,
        );
      await sleep(lookMs, undefined, { signal });
    }
  } finally {
    await reader.close();
  }
}
