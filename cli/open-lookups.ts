import { join } from 'node:path';
import { rereadSignals } from '../connectors/reread-signal.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { createLookupCipher } from '../keys/lookup-cipher.ts';
import type { EncryptionReserve } from '../keys/reserve-encryptions.ts';
import { BrokerConnections } from '../pipeline/broker-connections.ts';
import { LookupFollower } from '../pipeline/lookup-follower.ts';
import { LookupStore } from '../pipeline/lookup-store.ts';
import { LookupTables } from '../pipeline/lookup-tables.ts';
import type { Outages } from '../pipeline/outage.ts';
import type { RouteLookups } from '../pipeline/route-output.ts';
import type { Config } from '../schemas/config.ts';
import { type Dataset, parkingMs } from '../schemas/dataset.ts';
import { followersOf, pathsOf } from '../schemas/lookups.ts';
import * as names from '../schemas/names.ts';

/** What the transform of a process looks up, and where it keeps it. */
export interface OpenLookups {
  readonly tables: LookupTables;
  /** The part of one table; undefined where it neither follows a path nor is looked up. */
  readonly ofRoute: (dataset: Dataset) => RouteLookups | undefined;
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

/** Opens the store of looked-up rows and what keeps it current; undefined where no contract has a path. */
export function openLookups(parts: {
  readonly config: Config;
  readonly datasets: readonly Dataset[];
  readonly keys: KeyStore;
  readonly reserve: EncryptionReserve;
  readonly outages: Outages;
}): OpenLookups | undefined {
  const { config, datasets, keys, reserve, outages } = parts;
  const lookedUp = datasets.filter(({ facts }) => facts.length > 0);
  if (lookedUp.length === 0) return undefined;
  const topics = new Map(lookedUp.map(({ table }) => [table, names.lookupTopic(config, table)]));
  const store = new LookupStore(join(config.state, config.name, 'lookups'));
  const follower = new LookupFollower({
    connect: () => new BrokerConnections(config, 'lookups'),
    store,
    topics,
    // Well before its deletions are forgotten.
    longestAwayMs: names.lookupTombstoneMs / 2,
    outages,
  });
  const tables = new LookupTables({ store, follower, cipher: createLookupCipher(keys, reserve), topics });
  const contracts = datasets.map(({ contract }) => contract);
  return {
    tables,
    ofRoute(dataset) {
      const { table, contract, facts } = dataset;
      const followed = [...new Set(pathsOf(contract).flatMap(({ hops }) => hops.map((hop) => hop.table)))];
      if (followed.length === 0 && facts.length === 0) return undefined;
      return {
        tables,
        followed,
        ...(followed.length > 0
          ? { parking: { topic: names.parkedTopic(config, table), deadlineMs: parkingMs(dataset) } }
          : {}),
        ...(facts.length > 0
          ? {
              lookedUp: {
                table,
                topic: names.lookupTopic(config, table),
                followers: followersOf(table, contracts),
                signal: rereadSignals(config, datasets, table),
              },
            }
          : {}),
      };
    },
    start: () => follower.start(),
    async stop() {
      await follower.stop();
      await store.close();
    },
  };
}
