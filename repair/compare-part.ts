import {
  compareStore,
  encrypts,
  openCompareSession,
  type CompareSession,
  type StorePart,
} from '../verify/compare.ts';
import { type ExpectedTable, readExpectedTable, type TablePart } from '../verify/expected-table.ts';
import type { PlaceRow } from '../verify/readers/place-row.ts';
import type { Config } from '../schemas/config.ts';
import type { Contract } from '../schemas/contract.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import { parseVersion, type Version, versionFromUInt256 } from '../schemas/version.ts';
import type { Mismatch } from './mismatch.ts';

/** A part of the table compared with every store. */
export interface ComparedPart {
  readonly compared: number;
  readonly mismatches: readonly Mismatch[];
}

/** A nonce may be met again when a row is looked at again. */
const noLedger = { claim: () => true };

/**
 * Compares a part of a table with its stores as they stand, value by value, with the oracle's own rules. While changes flow a row may differ
 * only because one of them is under way.
 */
export class PartComparison {
  private readonly config: Config;
  private readonly contract: Contract;
  private readonly session: CompareSession;

  constructor(config: Config, contract: Contract) {
    this.config = config;
    this.contract = contract;
    this.session = openCompareSession(config);
  }

  async expected(part: TablePart): Promise<ExpectedTable> {
    return readExpectedTable(this.config.postgres, this.contract, this.session.keys, {
      ...part,
      keepSourceKeys: true,
    });
  }

  async withStores(expected: ExpectedTable, part: StorePart): Promise<ComparedPart> {
    const mismatches: Mismatch[] = [];
    let compared = 0;
    for (const sink of this.contract.sinks) {
      const result = await compareStore(
        this.config,
        sink,
        {
          expected,
          keys: encrypts(expected.check) ? await this.session.keys() : undefined,
          ledger: noLedger,
          onFinding: ({ kind, columns }, key, found) => {
            mismatches.push({ sink, kind, key, columns, version: versionOf(sink, found) });
          },
        },
        part,
      );
      compared += result.counts.compared;
    }
    return { compared, mismatches };
  }

  close(): Promise<void> {
    return this.session.cluster.close();
  }
}

function versionOf(sink: SinkName, found: PlaceRow | undefined): Version | undefined {
  if (found?.version === undefined) return undefined;
  if (sink === 'elasticsearch') return parseVersion(found.version);
  return /^\d{1,78}$/.test(found.version) ? versionFromUInt256(BigInt(found.version)) : undefined;
}
