import { type PostgresOptions, quoteName, withSnapshot } from '../postgres.ts';
import type { Place } from '../scan.ts';

const pageRows = 5_000;

/** Every row of the key store, and of the erasure's tables beside it: they know subjects by their digests only. */
export function keyStorePlace(options: PostgresOptions): Place {
  return {
    name: 'key store',
    search: (search) =>
      withSnapshot(options, 'the key store', async (query) => {
        const tables = await query(
          `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('lethe_keys', 'lethe_erasure') AND c.relkind = 'r'`,
        );
        for (const [i, { schema, name }] of tables.entries()) {
          await query(
            `DECLARE c${i} NO SCROLL CURSOR FOR SELECT t::text AS row FROM ${quoteName(schema!)}.${quoteName(name!)} t`,
          );
          for (;;) {
            const page = await query(`FETCH ${pageRows} FROM c${i}`);
            search.records(page.length);
            for (const { row } of page) search.text(`${schema}.${name}`, row!);
            if (page.length < pageRows) break;
          }
        }
      }),
  };
}
