import { type PostgresOptions, quoteName, withSnapshot } from '../postgres.ts';
import type { Place } from '../scan.ts';

const pageRows = 5_000;

/** Every row of the key store: it knows subjects by their digests only. */
export function keyStorePlace(options: PostgresOptions): Place {
  return {
    name: 'key store',
    search: (search) =>
      withSnapshot(options, 'the key store', async (query) => {
        const tables = await query(
          `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'lethe_keys' AND c.relkind = 'r'`,
        );
        for (const [i, { name }] of tables.entries()) {
          await query(
            `DECLARE c${i} NO SCROLL CURSOR FOR SELECT t::text AS row FROM lethe_keys.${quoteName(name!)} t`,
          );
          for (;;) {
            const page = await query(`FETCH ${pageRows} FROM c${i}`);
            search.records(page.length);
            for (const { row } of page) search.text(`lethe_keys.${name}`, row!);
            if (page.length < pageRows) break;
          }
        }
      }),
  };
}
