import type { ClientBase } from 'pg';
import { notSetUp } from '../epoch-ring.ts';
import type { LedgerRecord } from './ledger-record.ts';

/** Where the key store stands, for what is noted now. KEY_STORE_INVALID for one that is not set up. */
export async function ledgerPlace(
  client: ClientBase,
): Promise<Pick<LedgerRecord, 'store' | 'timeline' | 'seq'>> {
  const { rows } = await client.query<Pick<LedgerRecord, 'store' | 'timeline' | 'seq'>>(
    `select s.id::text as store,
            (select coalesce(max(seq), 0)::text from lethe_keys.audit) as seq,
            (select coalesce(max((details->>'timeline')::int), 0) from lethe_keys.audit
              where action = 'store-recovered') as timeline
       from lethe_keys.store s`,
  );
  if (!rows[0]) throw notSetUp();
  return rows[0];
}
