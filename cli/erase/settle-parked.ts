import type { Admin } from 'kafkajs';
import type { OpenErasure } from '../../erasure/runner.ts';
import { createLookupCipher } from '../../keys/lookup-cipher.ts';
import { nothingReserved } from '../../keys/reserve-encryptions.ts';
import { BrokerConnections } from '../../pipeline/broker-connections.ts';
import { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { LookupCipher } from '../../pipeline/lookup.ts';
import { inPartition } from '../../pipeline/in-partition.ts';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import type { ParkedRecord, ParkedRecords } from '../../pipeline/parked-records.ts';
import { restoreParked } from '../../pipeline/restore-parked.ts';
import type { OutputRecord } from '../../pipeline/transactional-producer.ts';
import { ownHeaders } from '../../repair/own-headers.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, followsPaths } from '../../schemas/dataset.ts';
import * as names from '../../schemas/names.ts';
import { encodeRecordKey } from '../../schemas/record-key.ts';
import { Registry } from '../../schemas/registry.ts';
import { RecordKeys } from '../../transforms/record-keys.ts';
import { SourceKeys } from '../../transforms/source-keys.ts';
import { partitionScope } from '../partition-scope.ts';
import type { ErasureContext } from './context.ts';
import { type LookupDigests, personLookups, sourceKeysIn } from './person-lookups.ts';

/** How many wait is nothing to who only takes some away. */
const most = Number.POSITIVE_INFINITY;

/** Tables whose rows may wait, and may be persons' of these kinds: theirs, and those that are nobody's by their contract. */
export function waitingTables({ project }: ErasureContext, types: ReadonlySet<string>): Dataset[] {
  return project.datasets.filter(
    (dataset) => followsPaths(dataset) && (!dataset.subject || types.has(dataset.subject.type)),
  );
}

/**
 * Lets go, as deletes, of rows in waiting that are the persons': whose own row was theirs at the source, or which wait for a row of theirs. Each
 * becomes a tombstone of the version that it has, as the transform makes of a row of who is suppressed, in the transaction that takes it out of the
 * topic of those that wait. Only the partitions that have such a row are taken from the process that works on them. Returns how many there were.
 */
export async function settleParked(
  context: ErasureContext,
  erasures: readonly OpenErasure[],
  types: ReadonlySet<string>,
): Promise<number> {
  const { config, datasets } = context.project;
  const waiting = waitingTables(context, types);
  if (waiting.length === 0) return 0;
  const cipher = createLookupCipher(context.keys, nothingReserved);
  const awaited = await personLookups(datasets, cipher, erasures);
  const admin = createKafka(config, 'erase').admin();
  const reader = new CommittedReader(new BrokerConnections(config, 'erase'));
  let settled = 0;
  try {
    await admin.connect().catch((cause: unknown) => {
      throw kafkaError(cause);
    });
    for (const dataset of waiting) {
      const own = new Set(sourceKeysIn(erasures, dataset.table));
      const table = new WaitingTable(context, { dataset, cipher, awaited, own });
      for (const { partition } of await reader.ends([names.parkedTopic(config, dataset.table)]))
        settled += await table.settle(admin, partition);
    }
    return settled;
  } finally {
    await reader.close();
    await admin.disconnect().catch(() => {});
  }
}

interface WaitingParts {
  readonly dataset: Dataset;
  readonly cipher: LookupCipher;
  readonly awaited: LookupDigests;
  /** Keys of the persons' rows of this table, as the source has them. */
  readonly own: ReadonlySet<string>;
}

class WaitingTable {
  readonly #config: Config;
  readonly #parts: WaitingParts;
  readonly #sourceKeys: SourceKeys;
  readonly #recordKeys: RecordKeys;

  constructor({ project: { config }, keys }: ErasureContext, parts: WaitingParts) {
    const registry = new Registry(config.registry);
    const writerSchema = (id: number) => registry.writerSchema(id);
    this.#config = config;
    this.#parts = parts;
    this.#sourceKeys = new SourceKeys(parts.dataset, writerSchema);
    this.#recordKeys = new RecordKeys(parts.dataset, writerSchema, keys);
  }

  async settle(admin: Admin, partition: number): Promise<number> {
    const config = this.#config;
    const { dataset, cipher } = this.#parts;
    const { table } = dataset;
    const topic = names.parkedTopic(config, table);
    const parking = { scope: { table, topic, partition, cipher }, most };
    const seen = await restoreParked(new BrokerConnections(config, 'erase'), parking);
    if ((await this.#concerned(seen)).length === 0) return 0;
    const output = [topic, names.cleanTopic(config, table)];
    const scope = { ...partitionScope(config, admin, table, partition), output, parking };
    return inPartition(scope, async (session) => {
      const { parked, nextOffset, clock } = session;
      const found = await this.#concerned(parked!);
      const tombstones: OutputRecord[] = [];
      for (const record of found) tombstones.push(await this.#tombstone(record));
      const removed = found.map((record) => parked!.remove(record));
      // What waits was read: there is an offset.
      await session.commit(once([...tombstones, ...removed]), nextOffset!, clock);
      return found.length;
    });
  }

  async #concerned(parked: ParkedRecords): Promise<ParkedRecord[]> {
    const { awaited, own } = this.#parts;
    const found: ParkedRecord[] = [];
    for (const record of parked.all()) {
      const { key, waitsFor } = record;
      const isAwaited = waitsFor !== undefined && awaited.get(waitsFor.table)?.has(waitsFor.digest);
      if (isAwaited || own.has(encodeRecordKey(await this.#sourceKeys.read(key)))) found.push(record);
    }
    return found;
  }

  async #tombstone({ key: rawKey, version }: ParkedRecord): Promise<OutputRecord> {
    const key = await this.#recordKeys.read(rawKey);
    const { dataset } = this.#parts;
    const headers = ownHeaders(dataset, 'd', key, version, Date.now());
    return { topic: names.cleanTopic(this.#config, dataset.table), key, value: null, headers };
  }
}

async function* once<T>(part: T): AsyncGenerator<T> {
  yield part;
}
