import type { OpenErasure } from '../../erasure/runner.ts';
import { createLookupCipher } from '../../keys/lookup-cipher.ts';
import { nothingReserved } from '../../keys/reserve-encryptions.ts';
import type { CommittedReader } from '../../pipeline/committed-reader.ts';
import type { KeyedRecords } from '../../pipeline/superseded-values.ts';
import * as names from '../../schemas/names.ts';
import { type ErasureContext, typesOf } from './context.ts';
import { personLookups } from './person-lookups.ts';
import { waitingTables } from './settle-parked.ts';

/**
 * What the transform keeps sealed beside the clean topics, and which tombstones replace: facts that paths looked up in the persons' rows, and
 * whatever has ceased to wait, whosever it was. It stands under keys of its table, which no erasure destroys.
 */
export async function sealedAside(
  context: ErasureContext,
  reader: CommittedReader,
  erasures: readonly OpenErasure[],
): Promise<KeyedRecords[]> {
  const { config, datasets } = context.project;
  const places: KeyedRecords[] = [];
  for (const [table, keys] of await personLookups(
    datasets,
    createLookupCipher(context.keys, nothingReserved),
    erasures,
  )) {
    if (keys.size === 0) continue;
    for (const { topic, partition, next: below } of await reader.ends([names.lookupTopic(config, table)]))
      places.push({ topic, partition, keys, below });
  }
  const parked = waitingTables(context, typesOf(erasures)).map(({ table }) =>
    names.parkedTopic(config, table),
  );
  for (const { topic, partition, next: below } of await reader.ends(parked)) {
    const keys = await goneKeys(reader, topic, partition);
    if (keys.size > 0) places.push({ topic, partition, keys, below });
  }
  return places;
}

/** Keys whose last record is a tombstone. */
async function goneKeys(
  reader: Pick<CommittedReader, 'readAll'>,
  topic: string,
  partition: number,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  await reader.readAll(topic, partition, ({ key, value }) => {
    if (value) gone.delete(key);
    else gone.add(key);
  });
  return gone;
}
