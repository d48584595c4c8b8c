import type { ClientBase } from 'pg';
import { appendAudit } from './audit/audit-log.ts';
import { inTransaction } from './key-store-client.ts';
import { fillReservations } from './reserve-encryptions.ts';

/** What a key store was told that was restored from a backup. */
export interface Recovery {
  /** The last entry of the audit that the backup has, and the last that is noted. */
  readonly from: string;
  readonly noted: string;
  /** One more than any that the ledger tells of. */
  readonly timeline: number;
  readonly erased: number;
  readonly suppressed: number;
  readonly lifted: number;
  /** Records of the ledger that are none of this key store's. */
  readonly leftOut: number;
  /** What the recovery is filed under: nothing personal. */
  readonly reference: string;
}

/**
 * Writes down that a key store goes on from an older backup, and ends what must not go on with it: glasses that were open then, and generations of
 * which nobody knows how often they encrypted since.
 */
export async function finishRecovery(
  client: ClientBase,
  recovery: Recovery,
  principal: string,
): Promise<void> {
  await inTransaction(client, async () => {
    await fillReservations(client);
    const { rows } = await client.query<{ id: string }>(
      // Older ones have lapsed: a day to be approved, a day to be open.
      `update lethe_keys.glass set closed_at = clock_timestamp()
        where closed_at is null and created_at > clock_timestamp() - interval '2 days'
          and coalesce(opens_until > clock_timestamp(), true)
       returning id::text`,
    );
    for (const { id } of rows) await appendAudit(client, 'glass-closed', { glass: id }, principal);
    await appendAudit(client, 'store-recovered', { ...recovery }, principal);
  });
}
