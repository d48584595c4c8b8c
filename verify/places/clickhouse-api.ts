import { ask, askText, type Endpoint, isSuccess, refused } from '../http.ts';
import type { Place, Search } from '../scan.ts';
import { reasonOf } from '../verify-error.ts';
import { readUnlessGone } from './read-unless-gone.ts';

const what = 'ClickHouse';

/** Tables in memory of the system database that keep parts of statements or of errors. */
const telling = [
  'errors',
  'mutations',
  'processes',
  'asynchronous_inserts',
  'query_cache',
  'tables',
  'columns',
  'warnings',
];

/**
 * Every row of every table of every database: rows that a newer one replaces, deleted ones, and those that a
 * lightweight delete hides; the server's own logs of queries and texts; and what its system tables say of statements.
 * `within`: only of databases whose name it takes.
 */
export function clickhouseApiPlace(
  endpoint: Endpoint,
  within: (database: string) => boolean = () => true,
): Place {
  return {
    name: 'clickhouse rows',
    search: async (search) => {
      // A server without log tables has nothing to flush, and says so with an error.
      await run(endpoint, 'SYSTEM FLUSH LOGS').catch(() => undefined);
      const listed = await run(
        endpoint,
        `SELECT database, name, engine FROM system.tables WHERE NOT is_temporary
         AND (engine LIKE '%MergeTree' OR engine IN ('Log', 'TinyLog', 'StripeLog', 'Memory', 'Join', 'Set', 'EmbeddedRocksDB')
              OR (database = 'system' AND name IN (${telling.map((name) => `'${name}'`).join(', ')})))
         FORMAT JSONCompactEachRow`,
      );
      for (const line of listed.split('\n').filter(Boolean)) {
        const [database, name, engine] = JSON.parse(line) as [string, string, string];
        if (!within(database)) continue;
        const table = `${quote(database)}.${quote(name)}`;
        const isThere = async () => (await run(endpoint, `EXISTS TABLE ${table}`)).trim() !== '0';
        try {
          await readUnlessGone(() => searchTable(endpoint, search, table, engine), isThere);
        } catch (error) {
          search.problem(`${table} cannot be read (${reasonOf(error)})`);
        }
      }
    },
  };
}

async function searchTable(endpoint: Endpoint, search: Search, table: string, engine: string): Promise<void> {
  const hidden = engine.endsWith('MergeTree') ? ' SETTINGS apply_deleted_mask = 0' : '';
  search.records(Number(await run(endpoint, `SELECT count() FROM ${table}${hidden}`)));
  // Strings come as the bytes they are, everything else as text.
  const answer = await ask(endpoint, what, {
    method: 'POST',
    path: '/?wait_end_of_query=0',
    body: `SELECT * FROM ${table}${hidden} FORMAT TSVRaw`,
    contentType: 'text/plain',
  });
  if (!isSuccess(answer)) {
    answer.resume();
    throw refused(what, answer);
  }
  const stream = search.stream(table);
  for await (const chunk of answer) stream.write(chunk as Buffer);
  if (!answer.complete) search.problem(`${table} was not read to its end`);
}

function run(endpoint: Endpoint, sql: string): Promise<string> {
  return askText(endpoint, what, { method: 'POST', path: '/', body: sql, contentType: 'text/plain' });
}

function quote(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
