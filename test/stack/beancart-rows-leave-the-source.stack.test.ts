import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readCatalog } from '../../connectors/postgres/catalog.ts';
import { eraseSourceRows, sourceObstaclesOf } from '../../connectors/postgres/erase-rows.ts';
import { planSourceErasure } from '../../connectors/postgres/source-erasure-plan.ts';
import { withSource } from '../../connectors/postgres/source-client.ts';
import { sourceRowsOf } from '../../connectors/postgres/subject-rows.ts';
import { beancartFolder } from '../../examples/beancart/folder.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import { deriveDataset } from '../../schemas/dataset.ts';
import { loadHouseRules } from '../../schemas/house-rules/load-rules.ts';
import { loadContracts } from '../../schemas/load-contracts.ts';
import { OwnPostgres } from '../support/own-postgres.ts';

test("every customer of BeanCart can be erased at the source, with every row and with nobody else's", async () => {
  const server = await OwnPostgres.create();
  onTestFinished(() => server.drop());
  await server.start({});
  const { house } = await loadHouseRules(join(beancartFolder, 'rules.yaml'));
  const { contracts } = await loadContracts(join(beancartFolder, 'contracts'), house);
  await withSource({ url: server.url }, async (client) => {
    await loadSchema(client);
    await loadSample(client, { customers: 60, seed: 11 });
    const catalog = await readCatalog(
      client,
      contracts.map(({ contract }) => contract.table),
    );
    const datasets = contracts.map(({ contract }) =>
      deriveDataset(contract, catalog.tables.get(contract.table)!),
    );
    const plan = await planSourceErasure(client, datasets, 'customer');
    expect(plan.obstacles).toEqual([]);
    expect(plan.steps).toHaveLength(8);
    expect(plan.steps.at(-1)).toMatchObject({ table: 'public.customers', action: 'delete' });
    const owned = datasets.filter(({ subject }) => subject);
    const count = async (id: string): Promise<number[]> => {
      const counted: number[] = [];
      for (const dataset of owned) {
        let rows = 0;
        for await (const batch of sourceRowsOf(client, dataset, id)) rows += batch.length;
        counted.push(rows);
      }
      return counted;
    };
    const total = async (): Promise<number> => {
      let sum = 0;
      for (const { table } of owned) {
        const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table}`);
        sum += rows[0]!.n;
      }
      return sum;
    };
    const { rows: customers } = await client.query<{ id: string }>(
      'select id::text from customers order by 1',
    );
    expect(customers).toHaveLength(60);
    for (const { id } of customers) {
      const [before, own] = [await total(), await count(id)];
      expect(await sourceObstaclesOf(client, plan, id)).toEqual([]);
      const erased = await eraseSourceRows(client, plan, id);
      const byTable = new Map(erased.map(({ table, rows }) => [table, rows]));
      // Found before is what was deleted itself: nothing went along unseen.
      expect(owned.map(({ table }) => byTable.get(table))).toEqual(own);
      expect(await total()).toBe(before - own.reduce((sum, n) => sum + n, 0));
    }
    expect(await total()).toBe(0);
  });
});
