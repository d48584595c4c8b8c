import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { tableParts } from '../../schemas/contract.ts';
import { publicationName } from '../../schemas/names.ts';
import type { AppliedContract } from './applied-contracts.ts';
import { readSourceIdentity, tellMove } from './source-identity.ts';
import { type PublicationState, readPublication } from './publication.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** A table that does not leave Postgres as it was applied. */
export interface Drift {
  readonly table: string;
  /** What is wrong, in words without values. */
  readonly what: string;
  /** The first thing to be done about it. */
  readonly fix: string;
  /** Changes may be missing downstream when it is put right. False: more leaves Postgres than the contract needs. */
  readonly misses: boolean;
}

/** A table as it stands at the source. */
export interface TableNow {
  readonly table: string;
  /** As pg_class.relreplident: `d` the primary key. */
  readonly identity: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/**
 * How the publication and the tables differ from what was applied. `tables` are those of the contracts that count; one that was never
 * applied cannot have changed since.
 */
export async function readDrift(
  client: ClientBase,
  config: Named,
  applied: ReadonlyMap<string, AppliedContract>,
  tables: readonly string[],
): Promise<Drift[]> {
  const own = tables.filter((table) => applied.has(table));
  if (own.length === 0) return [];
  const name = publicationName(config);
  const publication = await readPublication(client, name);
  const parts = own.map(tableParts);
  const { rows } = await client.query<TableNow>(tablesSql, [
    parts.map((part) => part.schema),
    parts.map((part) => part.table),
  ]);
  const now = new Map(rows.map((row) => [row.table, row]));
  const source = await readSourceIdentity(client);
  return own.flatMap((table) => {
    const before = applied.get(table)!;
    const found = moved(before.source, source) ?? driftOf(name, publication, now.get(table), before);
    return found ? [{ table, ...found }] : [];
  });
}

/** What went on at another source has versions that may lose against those of the one before. */
function moved(before: string | null, now: string | undefined): Omit<Drift, 'table'> | undefined {
  if (before === null || now === undefined || before === now) return undefined;
  return { what: tellMove(before, now), fix: 'Run `lethe apply`.', misses: true };
}

/** How one table differs, the gravest first; undefined if it is as it was applied. */
export function driftOf(
  name: string,
  publication: PublicationState | undefined,
  now: TableNow | undefined,
  { table, published }: Pick<AppliedContract, 'table' | 'published'>,
): Omit<Drift, 'table'> | undefined {
  const missing = (what: string, fix = 'Run `lethe apply`.') => ({ what, fix, misses: true });
  if (!now) {
    return missing(
      'the source has no table of this name any more: its changes do not come',
      'Take it back, or follow it in the contract; `lethe migrate` names the order.',
    );
  }
  const gone = (published ?? []).filter((column) => !now.columns.includes(column));
  const follow =
    gone.length > 0
      ? {
          text: `; ${gone.join(', ')} ${gone.length > 1 ? 'are' : 'is'} gone from the table`,
          fix: `Take ${gone.join(', ')} out of the contract (or take the change back), run \`lethe apply --rebuild\`, start \`lethe run\` again, and run \`lethe apply\` when \`lethe status\` says rebuilt.`,
        }
      : { text: '', fix: 'Run `lethe apply`.' };
  const listed = publication?.tables.get(table);
  if (!publication || !listed) {
    const where = publication ? `it has left the publication ${name}` : `the publication ${name} is gone`;
    return missing(`${where}: its changes do not come${follow.text}`, follow.fix);
  }
  if (listed.filtered) return missing('the publication filters its rows');
  if (!publication.options.complete) return missing('the publication leaves out kinds of changes');
  if (now.identity !== 'd') {
    return missing(
      "its replica identity is not the primary key: the application's UPDATE and DELETE fail, or come without it",
    );
  }
  const uncovered = now.key.filter((column) => !listed.columns.includes(column));
  if (now.key.length === 0 || uncovered.length > 0) {
    const why =
      now.key.length === 0 ? 'it has no primary key' : `its primary key has ${uncovered.join(', ')}`;
    return missing(
      `${why}, which the publication does not list: the application's UPDATE and DELETE fail`,
      `Take the primary key back, or take the contract away and run \`lethe apply\`.`,
    );
  }
  if (!published) return undefined;
  // A column that is gone while the table is still listed was renamed: it comes under the other name, and the table waits for it.
  const lacks = published.filter((column) => !listed.columns.includes(column) && !gone.includes(column));
  if (lacks.length > 0) return missing(`its column list in ${name} lacks ${lacks.join(', ')}`);
  const extra = listed.columns.filter((column) => !published.includes(column));
  if (extra.length === 0) return undefined;
  const what = `columns leave Postgres that its contract does not need: ${extra.join(', ')}`;
  return { what, fix: 'Run `lethe apply`.', misses: false };
}

const tablesSql = `
select n.nspname || '.' || c.relname as "table", c.relreplident as identity,
  array(select a.attname::text from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
  array(select a.attname::text from pg_catalog.pg_index i, unnest(i.indkey::int2[]) as k(attnum)
        join pg_catalog.pg_attribute a on a.attnum = k.attnum
        where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid) as key
from unnest($1::text[], $2::text[]) as asked(schema, name)
join pg_catalog.pg_namespace n on n.nspname = asked.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = asked.name
  and c.relkind not in ('i', 'I', 't', 'c', 'S')`;
