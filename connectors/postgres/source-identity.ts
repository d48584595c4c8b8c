import type { ClientBase } from 'pg';

/**
 * Which source this is, as `<system identifier>/<timeline>`: another cluster has another identifier, and a standby that was promoted,
 * or a backup that was recovered to a point in time, goes on along another timeline. LSNs of two sources do not compare.
 *
 * The timeline is read from the name of the WAL file being written, since pg_control_checkpoint() knows a new one only after the next
 * checkpoint; undefined on a standby.
 */
export async function readSourceIdentity(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<{ system: string; file: string | null }>(
    `select system_identifier::text as system,
       case when not pg_catalog.pg_is_in_recovery()
            then pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) end as file
     from pg_catalog.pg_control_system()`,
  );
  const { system, file } = rows[0]!;
  return file === null ? undefined : `${system}/${Number.parseInt(file.slice(0, 8), 16)}`;
}

/** What has become of the source between two identities, in words. */
export function tellMove(before: string, now: string): string {
  const [[systemBefore, lineBefore], [system, line]] = [before.split('/'), now.split('/')];
  return system === systemBefore
    ? `the source goes on along timeline ${line} instead of ${lineBefore} (a promoted standby, or a recovery to a point in time)`
    : 'the source is another cluster than before';
}
