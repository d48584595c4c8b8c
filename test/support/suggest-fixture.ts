import type { CatalogTable } from '../../connectors/postgres/catalog.ts';
import { classifyValues } from '../../connectors/suggest/classify-values.ts';
import type { ForeignKey } from '../../connectors/suggest/foreign-keys.ts';
import { type Proposal, proposeContract } from '../../connectors/suggest/propose-contract.ts';
import { Relations } from '../../connectors/suggest/relations.ts';
import { valueKind } from '../../schemas/value-kind.ts';

export interface ProposeParts {
  /** Sampled values by column. */
  readonly values?: Readonly<Record<string, readonly (string | null)[]>>;
  readonly foreignKeys?: readonly Partial<ForeignKey>[];
  readonly serials?: readonly string[];
}

/** What is proposed for a table without a database. */
export function proposeFor(table: CatalogTable, parts: ProposeParts = {}): Proposal {
  const { values = {}, foreignKeys = [], serials = [] } = parts;
  const evidence = new Map(
    Object.entries(values).map(([name, list]) => {
      const column = table.columns.find((candidate) => candidate.name === name)!;
      return [name, classifyValues(valueKind(column)!, list)] as const;
    }),
  );
  const keys = foreignKeys.map(
    (key): ForeignKey => ({
      table: table.table,
      columns: ['customer_id'],
      toTable: 'public.customers',
      toColumns: ['id'],
      isKey: false,
      toKey: true,
      ...key,
    }),
  );
  return proposeContract({
    table,
    relations: new Relations(keys, new Set(serials)),
    serverVersion: 180004,
    sinks: ['clickhouse'],
    sample: { rows: 1, evidence },
    personalRoots: new Set(),
  });
}
