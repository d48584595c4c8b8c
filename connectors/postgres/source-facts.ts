import type { ClientBase } from 'pg';

/** The slot's row in pg_replication_slots, as far as it matters here. */
export interface SlotFacts {
  readonly database: string | null;
  readonly plugin: string | null;
  readonly active: boolean;
  readonly wal_status: string | null;
  /** PostgreSQL 17 and later. */
  readonly invalidation_reason?: string | null;
}

/** What preflight asks of the server and the role. */
export interface SourceFacts {
  readonly database: string;
  readonly server_version: number;
  readonly wal_level: string;
  readonly max_slots: number;
  readonly used_slots: number;
  readonly max_wal_senders: number;
  readonly used_wal_senders: number;
  readonly role: string;
  readonly superuser: boolean;
  readonly replication: boolean;
  /** May create the schema and the publication. */
  readonly may_create: boolean;
  readonly slot: SlotFacts | null;
  readonly in_recovery: boolean;
  /** Where its WAL ends; null on a standby. */
  readonly wal_end: string | null;
}

/** One look at the server, for a pipeline whose slot has this name. */
export async function readSourceFacts(client: ClientBase, slot: string): Promise<SourceFacts> {
  const { rows } = await client.query<SourceFacts>(factsSql, [slot]);
  return rows[0]!;
}

// Managed services give replication by membership in a role of their own instead of by the attribute.
const factsSql = `
select current_database() as database,
  current_setting('server_version_num')::int as server_version,
  current_setting('wal_level') as wal_level,
  current_setting('max_replication_slots')::int as max_slots,
  (select count(*)::int from pg_catalog.pg_replication_slots) as used_slots,
  current_setting('max_wal_senders')::int as max_wal_senders,
  (select count(*)::int from pg_catalog.pg_stat_replication) as used_wal_senders,
  r.rolname as role, r.rolsuper as superuser,
  r.rolreplication or exists (
    select from pg_catalog.pg_roles m
    where m.rolname in ('rds_replication', 'alloydbreplica', 'azure_pg_admin') and pg_catalog.pg_has_role(r.oid, m.oid, 'MEMBER')
  ) as replication,
  pg_catalog.has_database_privilege(current_database(), 'CREATE') as may_create,
  (select to_jsonb(s) from pg_catalog.pg_replication_slots s where s.slot_name = $1) as slot,
  pg_catalog.pg_is_in_recovery() as in_recovery,
  case when not pg_catalog.pg_is_in_recovery() then pg_catalog.pg_current_wal_lsn()::text end as wal_end
from pg_catalog.pg_roles r where r.rolname = current_user`;
