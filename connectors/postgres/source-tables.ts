import type { Config } from '../../schemas/config.ts';
import { contractsTable, heartbeatTable, signalTable, sourceSchema } from '../../schemas/names.ts';
import { type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { appliedContractsSql, laterColumnsSql } from './applied-contracts.ts';
import { hasColumn } from './has-column.ts';
import { withSource } from './source-client.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** Lethe's own schema at the source with the heartbeat, signal and contract tables of this pipeline. */
export function sourceTableResources(config: Named): Resource[] {
  const tables = [
    {
      name: heartbeatTable(config),
      sql: '(id int PRIMARY KEY, beat timestamptz NOT NULL)',
    },
    {
      // As Debezium asks for it: any text is an id, the third column holds JSON.
      name: signalTable(config),
      sql: '(id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(8192))',
    },
    { name: contractsTable(config), sql: appliedContractsSql },
  ];
  return [
    steppedResource(`schema ${sourceSchema}`, 'postgres', async () =>
      withSource(config.postgres, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `select schemaname || '.' || tablename as name from pg_catalog.pg_tables where schemaname = $1`,
          [sourceSchema],
        );
        const present = new Set(rows.map((row) => row.name));
        const contracts = contractsTable(config);
        const outdated = present.has(contracts) && !(await hasColumn(client, contracts, 'source'));
        const columns: Step = {
          change: { action: 'update', summary: `table ${contracts} gets columns that it lacks` },
          run: () =>
            withSource(config.postgres, async (writer) => {
              await writer.query(`alter table ${contracts} ${laterColumnsSql}`);
            }),
        };
        const missing = tables
          .filter((table) => !present.has(table.name))
          .map(
            (table): Step => ({
              change: { action: 'create', summary: `table ${table.name}` },
              run: () =>
                withSource(config.postgres, async (writer) => {
                  // Two that apply at once would both see nothing and one would fail.
                  await writer.query('begin');
                  await writer.query(`select pg_advisory_xact_lock(hashtext('lethe'))`);
                  await writer.query(`create schema if not exists ${sourceSchema}`);
                  await writer.query(`create table if not exists ${table.name} ${table.sql}`);
                  await writer.query('commit');
                }),
            }),
          );
        return outdated ? [...missing, columns] : missing;
      }),
    ),
  ];
}
