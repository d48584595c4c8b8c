import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { actingPrincipal } from '../access/acting-principal.ts';
import { inTransaction, withKeyStore } from '../key-store-client.ts';
import { type AuditAction, type AuditDetails, type AuditEntry, chainHash, chainStart } from './entry.ts';

/**
 * Appends an entry within the transaction that does what it tells: both are there, or neither. Writers take turns, so that the chain has
 * no branches.
 */
export async function appendAudit(
  client: ClientBase,
  action: AuditAction,
  details: AuditDetails,
  principal = actingPrincipal(),
): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtext('lethe_keys.audit'))`);
  const { rows } = await client.query<{ seq: string; hash: Buffer; now: string }>(
    `select coalesce(max(seq), 0)::text as seq, ${isoText('clock_timestamp()')} as now,
            (select hash from lethe_keys.audit order by seq desc limit 1) as hash
       from lethe_keys.audit`,
  );
  const last = rows[0]!;
  const entry: AuditEntry = { seq: BigInt(last.seq) + 1n, at: last.now, principal, action, details };
  await client.query(
    'insert into lethe_keys.audit (seq, at, principal, action, details, hash) values ($1, $2, $3, $4, $5, $6)',
    [
      entry.seq,
      entry.at,
      principal,
      action,
      JSON.stringify(details),
      chainHash(last.hash ?? chainStart, entry),
    ],
  );
}

/** The same in a transaction of its own. */
export async function writeAudit(
  config: Pick<Config, 'keys'>,
  action: AuditAction,
  details: AuditDetails,
  principal = actingPrincipal(),
): Promise<void> {
  await withKeyStore(config, (client) =>
    inTransaction(client, () => appendAudit(client, action, details, principal)),
  );
}

/** Microseconds count: a timestamp read back as a date would give another hash. */
export function isoText(timestamp: string): string {
  return `to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
