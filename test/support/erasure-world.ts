import { Client } from 'pg';
import { type Catalog, readCatalog } from '../../connectors/postgres/catalog.ts';
import { planSourceErasure, type SourceErasurePlan } from '../../connectors/postgres/source-erasure-plan.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import type { Contract } from '../../schemas/contract.ts';
import { type Dataset, deriveDataset } from '../../schemas/dataset.ts';
import { contractOf } from './contract-fixture.ts';
import type { OwnPostgres } from './own-postgres.ts';

/** What becomes of a table, as the test says it: whose rows, and `erasure:` without its braces. */
export interface ErasedTable {
  readonly table: string;
  /** `key: id` or `path: [order_id, public.orders.customer_id]`. */
  readonly subject: string;
  readonly erasure?: string;
}

/** A database with tables and the contracts of some of them, each for persons of the type `customer`. */
export class ErasureWorld {
  readonly url: string;
  readonly datasets: readonly Dataset[];

  private constructor(url: string, datasets: readonly Dataset[]) {
    this.url = url;
    this.datasets = datasets;
  }

  static async create(server: OwnPostgres, schema: string, tables: readonly ErasedTable[]) {
    const name = `shop_${++made}`;
    await server.sql(`create database ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return withSource({ url: url.href }, async (client) => {
      await client.query(schema);
      const catalog = await readCatalog(
        client,
        tables.map(({ table }) => table),
      );
      const contracts = tables.map((one) => contractFor(one, catalog));
      const datasets = contracts.map((contract) =>
        deriveDataset(contract, catalog.tables.get(contract.table)!),
      );
      return new ErasureWorld(url.href, datasets);
    });
  }

  /** Over a connection as the pipeline has one. */
  use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return withSource({ url: this.url }, work);
  }

  plan(): Promise<SourceErasurePlan> {
    return this.use((client) => planSourceErasure(client, this.datasets, 'customer'));
  }

  async sql(text: string): Promise<Record<string, unknown>[]> {
    return this.use(async (client) => (await client.query<Record<string, unknown>>(text)).rows);
  }

  /** The only column of a query's rows. */
  async column(text: string): Promise<unknown[]> {
    return (await this.sql(text)).map((row) => Object.values(row)[0]);
  }
}

let made = 0;

function contractFor({ table, subject, erasure }: ErasedTable, catalog: Catalog): Contract {
  const columns = catalog.tables
    .get(table)!
    .columns.map(({ name }) => `  "${name}": { classification: internal, action: keep }\n`);
  const says = erasure === undefined ? '' : `erasure: { ${erasure} }\n`;
  return contractOf(`table: ${table}
owner: test
tier: 1
subject: { type: customer, ${subject} }
${says}sinks: []
staleness: 30s
columns:
${columns.join('')}`).contract;
}
