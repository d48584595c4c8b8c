import type { Client } from 'pg';
import { publicationName } from '../../schemas/names.ts';

/** Changes rows without anybody being told, as if a slot had been lost: their table is out of the publication meanwhile. */
export async function unseen(
  client: Client,
  config: { readonly name: string },
  table: string,
  sql: string,
): Promise<void> {
  const { rows } = await client.query<{ columns: string }>(
    `select (select string_agg(quote_ident(a), ', ') from unnest(attnames) a) as columns
       from pg_publication_tables where pubname = $1 and tablename = $2`,
    [publicationName(config as never), table],
  );
  const publication = `alter publication "${publicationName(config as never)}"`;
  await client.query(`${publication} drop table only ${table}`);
  await client.query(sql);
  await client.query(`${publication} add table only ${table} (${rows[0]!.columns})`);
}
