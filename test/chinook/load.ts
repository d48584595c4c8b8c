import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';

/** Where the published script lies, beside the checkout. It is not part of it and may be absent. */
export const chinookSql = join(
  import.meta.dirname,
  '..',
  '..',
  '..',
  'shared',
  'data',
  'chinook',
  'chinook.sql',
);

/**
 * Loads Chinook as published into an empty database: all but the lines that are for psql or make a database of
 * their own.
 */
export async function loadChinook(client: ClientBase, sqlPath: string): Promise<void> {
  await client.query(withoutPsql(await readFile(sqlPath, 'utf8')));
}

/** The script without psql's commands (`\c …`) and without `CREATE DATABASE` and `DROP DATABASE`. */
export function withoutPsql(script: string): string {
  return script
    .split('\n')
    .filter((line) => !/^\s*(\\|(CREATE|DROP)\s+DATABASE\b)/i.test(line))
    .join('\n');
}
