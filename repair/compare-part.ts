import {
  compareStore,
  openCompareSession,
  type CompareSession,
  storeForms,
  type StorePart,
  storeRows,
} from '../verify/compare.ts';
import { digestSource, PlaceDigester } from '../verify/digest-table.ts';
import { type ExpectedTable, readExpectedTable, type TablePart } from '../verify/expected-table.ts';
import type { EpochOpener } from '../verify/epoch-opener.ts';
import { readRetainedKeys } from '../verify/retained-keys.ts';
import { usesKeys } from '../verify/rules/table-check.ts';
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

/** A look at every row, by ranges of key digests. */
export interface ComparedRanges {
  /** Rows at the source. */
  readonly rows: number;
  /** Rows read, over all stores. */
  readonly compared: number;
  readonly unlike: ReadonlySet<number>;
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

  /** `openEpoch`: asks the master keys. */
  constructor(config: Config, contract: Contract, openEpoch: EpochOpener) {
    this.config = config;
    this.contract = contract;
    this.session = openCompareSession(config, openEpoch);
  }

  /**
   * Which ranges of key digests a store has otherwise than the source, for all that is known of rows that are summed and not kept. A value
   * that is encrypted within a path map counts whoever's key it is under; a whole column does not.
   */
  async unlikeRanges(ranges: number): Promise<ComparedRanges> {
    const { config, contract, session } = this;
    const forms = contract.sinks.map((sink) => storeForms[sink]);
    const source = await digestSource(config.postgres, contract, session.keys, forms, ranges);
    const keys = usesKeys(contract) ? await session.keys() : undefined;
    const retained = await readRetainedKeys(config, contract);
    const unlike = new Set<number>();
    let compared = 0;
    for (const [i, sink] of contract.sinks.entries()) {
      const digester = new PlaceDigester(forms[i]!, source, keys, ranges);
      for await (const row of storeRows(config, sink, source.check, { moves: true })) {
        if (!retained.has(row.key)) digester.take(row);
      }
      for (const range of source.places[i]!.unlike(digester.digests)) unlike.add(range);
      compared += digester.digests.rows;
    }
    return { rows: source.rows, compared, unlike };
  }

  async expected(part: TablePart): Promise<ExpectedTable> {
    return readExpectedTable(this.config.postgres, this.contract, this.session.keys, {
      ...part,
      keepSourceKeys: true,
    });
  }

  async withStores(expected: ExpectedTable, part: StorePart): Promise<ComparedPart> {
    const mismatches: Mismatch[] = [];
    const retained = await readRetainedKeys(this.config, this.contract);
    let compared = 0;
    for (const sink of this.contract.sinks) {
      const result = await compareStore(
        this.config,
        sink,
        {
          expected,
          retained,
          keys: usesKeys(this.contract) ? await this.session.keys() : undefined,
          ledger: noLedger,
          onFinding: ({ kind, columns }, key, found) => {
            mismatches.push({ sink, kind, key, columns, version: versionOf(sink, found) });
          },
        },
        { ...part, moves: true },
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
