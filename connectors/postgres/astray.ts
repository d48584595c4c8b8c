import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { contractsTable } from '../../schemas/names.ts';
import { steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { type AppliedContract, readAppliedContracts } from './applied-contracts.ts';
import { type Drift, readDrift } from './drift.ts';
import { hasColumn } from './has-column.ts';
import { withSource } from './source-client.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** When a table was seen not to be as it was applied; what changed meanwhile may be missing downstream until it is reconciled. */
export interface Astray {
  readonly table: string;
  readonly since: Date;
  /** Seen last. */
  readonly until: Date;
}

/**
 * Reads how the tables differ from what was applied, and keeps when it was seen: a table that has been put back still lacks what changed
 * while it was away, and nothing at the source would tell of that any more.
 */
export async function noteDrift(
  client: ClientBase,
  config: Named,
  applied: ReadonlyMap<string, AppliedContract>,
  tables: readonly string[],
): Promise<Drift[]> {
  const drifts = await readDrift(client, config, applied, tables);
  const missing = drifts.filter(({ misses }) => misses).map(({ table }) => table);
  // The columns come with the first `apply` of this version.
  if (missing.length > 0 && (await isKept(client, config))) {
    await client.query(
      `update ${contractsTable(config)} set astray_since = coalesce(astray_since, clock_timestamp()),
         astray_until = clock_timestamp() where table_name = any($1)`,
      [missing],
    );
  }
  return drifts;
}

/** Tables that were astray and were not reconciled since. */
export async function readAstray(client: ClientBase, config: Named): Promise<Astray[]> {
  if (!(await isKept(client, config))) return [];
  const { rows } = await client.query<Astray>(
    `select table_name as "table", min(astray_since) as since, max(astray_until) as until
     from ${contractsTable(config)} where astray_since is not null group by table_name order by table_name`,
  );
  return rows;
}

/** Before a table is put back: notes that it was away, whether anybody had seen it or not. */
export function astrayResources(config: Named, tables: readonly string[]): Resource[] {
  const inspect = (client: ClientBase, read: typeof readDrift) =>
    readAppliedContracts(client, config).then((applied) => read(client, config, applied, tables));
  return [
    steppedResource('tables astray', 'postgres', () =>
      withSource(config.postgres, async (client) => {
        const missing = (await inspect(client, readDrift)).filter(({ misses }) => misses);
        const note = () => withSource(config.postgres, async (c) => void (await inspect(c, noteDrift)));
        return missing.map(({ table, what }) => {
          const summary = `${table}: ${what}; \`lethe reconcile ${table} --repair\` makes good what is missing`;
          return { change: { action: 'update', summary } as const, run: note };
        });
      }),
    ),
  ];
}

/** The source's clock, for settleAstray. */
export async function sourceClock(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ now: string }>('select clock_timestamp()::text as now');
  return rows[0]!.now;
}

/** Notes that what a table lacked is made good, unless it was seen astray since `began`, the source's clock. */
export async function settleAstray(
  client: ClientBase,
  config: Named,
  table: string,
  began: string,
): Promise<void> {
  if (!(await isKept(client, config))) return;
  await client.query(
    `update ${contractsTable(config)} set astray_since = null, astray_until = null
     where table_name = $1
       and not exists (select from ${contractsTable(config)} where table_name = $1 and astray_until >= $2)`,
    [table, began],
  );
}

async function isKept(client: ClientBase, config: Named): Promise<boolean> {
  const table = contractsTable(config);
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    table,
  ]);
  return rows[0]!.there && (await hasColumn(client, table, 'astray_until'));
}
