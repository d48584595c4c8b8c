import type { BrokerConnections } from './broker-connections.ts';
import { CommittedReader } from './committed-reader.ts';
import { ParkedRecords, type ParkedScope } from './parked-records.ts';

/** Where the parked records of a partition are, and how many at most there should be. */
export interface ParkingPlace {
  readonly scope: ParkedScope;
  readonly most: number;
}

/** What waits, from its topic. Where the partition's session was just opened, that is all: whoever parked or released a record is fenced by now. */
export async function restoreParked(
  connections: BrokerConnections,
  { scope, most }: ParkingPlace,
): Promise<ParkedRecords> {
  const reader = new CommittedReader(connections);
  const found = new Map<string, Buffer>();
  try {
    await scope.cipher.load([scope.table]);
    await reader.readAll(scope.topic, scope.partition, ({ key, value }) => {
      if (value) found.set(key, value);
      else found.delete(key);
    });
  } finally {
    await reader.close();
  }
  const parked = new ParkedRecords(scope, most);
  const inOrder = [...found].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
  for (const [offset, sealed] of inOrder) parked.restore(offset, sealed);
  return parked;
}
