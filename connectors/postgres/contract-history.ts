import type { AppliedGeneration, AppliedHistory } from '../../pipeline/contract-rule.ts';
import type { Config } from '../../schemas/config.ts';
import { gateIntervalMs, readContractHistory } from './applied-contracts.ts';
import { SourceLook } from './source-look.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/**
 * The contracts that tables have been under, for the sinks of a process. Looked at twice a second at most: a sink needs the source
 * for its first record, and for the first of a contract that it does not know.
 */
export class ContractHistory implements AppliedHistory {
  private readonly source: SourceLook<ReadonlyMap<string, readonly AppliedGeneration[]>>;

  constructor(config: Named) {
    this.source = new SourceLook(config, (client) => readContractHistory(client, config));
  }

  async of(table: string): Promise<readonly AppliedGeneration[]> {
    return (await this.source.latest(gateIntervalMs)).get(table) ?? [];
  }

  async fresh(table: string): Promise<readonly AppliedGeneration[]> {
    return (await this.source.fresh()).get(table) ?? [];
  }

  async close(): Promise<void> {
    await this.source.close();
  }
}
