import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import { heartbeatTable, publicationName, signalTable } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { PlannedChange, Resource } from '../../pipeline/resource.ts';
import { inShortTransaction } from './lock-patience.ts';
import { quoteName, quoteTable } from './quote.ts';
import { withSource } from './source-client.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** A table of the publication; undefined columns: all of them. */
interface Published {
  readonly table: string;
  readonly columns?: readonly string[];
}

/**
 * The pipeline's publication: every contract's table with exactly the columns that may leave Postgres. Tables come and
 * go one by one within one transaction; afterwards the columns in effect are read back and compared.
 */
export function publicationResources(config: Named, datasets: readonly Dataset[]): Resource[] {
  const name = publicationName(config);
  const wanted: Published[] = [
    ...datasets.map((dataset) => ({ table: dataset.table, columns: dataset.published })),
    { table: heartbeatTable(config) },
    { table: signalTable(config) },
  ];
  const inspect = async (): Promise<readonly Step[]> =>
    withSource(config.postgres, async (client) =>
      steps(config, name, wanted, await readPublication(client, name)),
    );
  const resource = steppedResource(`publication ${name}`, 'postgres', inspect);
  return [
    {
      ...resource,
      apply: async (changes) => {
        await resource.apply(changes);
        const left = await inspect();
        if (left.length === 0) return;
        throw new LetheError(
          'SERVER_FAILED',
          `the publication ${name} does not have the column lists it was given (${left.length} differ)`,
          { fix: 'Look for an event trigger or a second administrator that changes publications.' },
        );
      },
    },
  ];
}

/** The publication as it is now. */
export interface PublicationState {
  readonly options: PublicationOptions;
  readonly tables: ReadonlyMap<string, { readonly columns: readonly string[]; readonly filtered: boolean }>;
}

interface PublicationOptions {
  readonly all_tables: boolean;
  readonly whole_schemas: boolean;
  readonly complete: boolean;
}

/** Reads the publication of this name; undefined if there is none. */
export async function readPublication(
  client: ClientBase,
  name: string,
): Promise<PublicationState | undefined> {
  const options = await client.query<PublicationOptions>(
    `select puballtables as all_tables,
       exists (select from pg_catalog.pg_publication_namespace n where n.pnpubid = p.oid) as whole_schemas,
       pubinsert and pubupdate and pubdelete and pubtruncate and not pubviaroot as complete
     from pg_catalog.pg_publication p where pubname = $1`,
    [name],
  );
  if (!options.rows[0]) return undefined;
  // Without a list attnames holds every column; the heartbeat and signal tables have none.
  const { rows } = await client.query<{ name: string; columns: string[]; filtered: boolean }>(
    `select schemaname || '.' || tablename as name, attnames::text[] as columns, rowfilter is not null as filtered
     from pg_catalog.pg_publication_tables where pubname = $1`,
    [name],
  );
  return { options: options.rows[0], tables: new Map(rows.map((row) => [row.name, row])) };
}

function steps(
  config: Named,
  name: string,
  wanted: readonly Published[],
  state: PublicationState | undefined,
): Step[] {
  if (!state) {
    const run = execute(config, [
      `create publication ${quoteName(name)} for table ${wanted.map(definition).join(', ')} with (publish = 'insert, update, delete, truncate', publish_via_partition_root = false)`,
    ]);
    const summary = `publication ${name}: ${wanted.map(describe).join('; ')}`;
    return [{ change: { action: 'create', summary }, run }];
  }
  if (state.options.all_tables || state.options.whole_schemas) {
    return [
      refuse(
        `the publication ${name} is for all tables or whole schemas: dropped columns would leave Postgres`,
        `Run: DROP PUBLICATION ${quoteName(name)}; and apply again.`,
      ),
    ];
  }
  const changes: { change: PlannedChange; sql: string[] }[] = [];
  if (!state.options.complete) {
    changes.push({
      change: { action: 'update', summary: `publication ${name}: publish insert, update, delete, truncate` },
      sql: [
        `alter publication ${quoteName(name)} set (publish = 'insert, update, delete, truncate', publish_via_partition_root = false)`,
      ],
    });
  }
  for (const published of wanted) {
    const current = state.tables.get(published.table);
    if (current && !current.filtered && sameColumns(published.columns, current.columns)) continue;
    const add = `alter publication ${quoteName(name)} add table ${definition(published)}`;
    const drop = `alter publication ${quoteName(name)} drop table ${quoteTable(published.table)}`;
    changes.push({
      change: {
        action: current ? 'update' : 'create',
        summary: `publication ${name}: ${describe(published)}`,
      },
      sql: current ? [drop, add] : [add],
    });
  }
  const names = new Set(wanted.map((published) => published.table));
  for (const table of state.tables.keys()) {
    if (names.has(table)) continue;
    changes.push({
      change: { action: 'delete', summary: `publication ${name}: ${table} leaves it, no contract names it` },
      sql: [`alter publication ${quoteName(name)} drop table only ${quoteTable(table)}`],
    });
  }
  // One transaction: at no moment is a table without its list.
  const run = execute(
    config,
    changes.flatMap((entry) => entry.sql),
  );
  return changes.map(({ change }, index) => ({ change, run: index === 0 ? run : nothing }));
}

const nothing = async (): Promise<void> => {};

function execute(config: Named, statements: readonly string[]): () => Promise<void> {
  return () => withSource(config.postgres, (client) => inShortTransaction(client, statements));
}

function definition({ table, columns }: Published): string {
  return `only ${quoteTable(table)}${columns ? ` (${columns.map(quoteName).join(', ')})` : ''}`;
}

function describe({ table, columns }: Published): string {
  return columns ? `${table} (${columns.join(', ')})` : table;
}

function sameColumns(wanted: readonly string[] | undefined, current: readonly string[]): boolean {
  if (!wanted) return true;
  const set = new Set(current);
  return set.size === wanted.length && wanted.every((column) => set.has(column));
}
