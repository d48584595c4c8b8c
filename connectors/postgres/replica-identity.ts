import { tableParts } from '../../schemas/contract.ts';
import type { Config } from '../../schemas/config.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { publicationName } from '../../schemas/names.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import { inShortTransaction } from './lock-patience.ts';
import { quoteTable } from './quote.ts';
import { withSource } from './source-client.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/**
 * Replica identity DEFAULT for every table of the contracts. It comes before the publication: with a column list
 * and identity FULL at once Postgres refuses the application's own UPDATE and DELETE.
 */
export function replicaIdentityResources(config: Named, datasets: readonly Dataset[]): Resource[] {
  return [
    steppedResource('replica identity', 'postgres', () =>
      withSource(config.postgres, async (client) => {
        const parts = datasets.map((dataset) => tableParts(dataset.table));
        const { rows } = await client.query<IdentityRow>(identitySql, [
          parts.map((part) => part.schema),
          parts.map((part) => part.table),
          publicationName(config),
        ]);
        return rows.map((row) => toStep(config, row));
      }),
    ),
  ];
}

interface IdentityRow {
  readonly name: string;
  readonly identity: string;
  /** Other publications whose UPDATEs would fail once the identity is the primary key. */
  readonly in_the_way: string[] | null;
}

const identityNames: Readonly<Record<string, string>> = { f: 'FULL', n: 'NOTHING', i: 'INDEX' };

function toStep(config: Named, row: IdentityRow): Step {
  if (row.in_the_way) {
    return refuse(
      `${row.name}: replica identity ${identityNames[row.identity]} cannot become DEFAULT: the publication ${row.in_the_way.join(', ')} filters rows or leaves out a column of the primary key, so the application's UPDATE would fail`,
      'Add the primary key to that publication and leave out its row filter, or drop it.',
    );
  }
  return {
    change: {
      action: 'update',
      summary: `${row.name}: replica identity ${identityNames[row.identity]} -> DEFAULT`,
    },
    run: () =>
      withSource(config.postgres, (client) =>
        inShortTransaction(client, [`alter table ${quoteTable(row.name)} replica identity default`]),
      ),
  };
}

/** Tables whose identity is another one. A row filter may use identity columns only, a column list must hold them all. */
const identitySql = `
select n.nspname || '.' || c.relname as name, c.relreplident as identity,
  (select array_agg(distinct p.pubname::text)
   from pg_catalog.pg_publication p
   join pg_catalog.pg_publication_tables t on t.pubname = p.pubname
   where p.pubname <> $3 and (p.pubupdate or p.pubdelete) and t.schemaname = n.nspname and t.tablename = c.relname
     and (t.rowfilter is not null or exists (
       select from pg_catalog.pg_index i, unnest(i.indkey::int2[]) as k(attnum)
       join pg_catalog.pg_attribute a on a.attnum = k.attnum
       where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attname <> all (t.attnames)))) as in_the_way
from unnest($1::text[], $2::text[]) as asked(schema, name)
join pg_catalog.pg_namespace n on n.nspname = asked.schema
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = asked.name
where c.relreplident <> 'd'
order by 1`;
