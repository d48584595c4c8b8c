import type { ClientBase } from 'pg';
import { readErased } from '../../keys/audit/anchor.ts';
import { checkChain } from '../../keys/audit/read-audit.ts';
import { finishRecovery, type Recovery } from '../../keys/finish-recovery.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { ledgerPlace } from '../../keys/ledger/ledger-place.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { anchorRecovered, findGap, type Gap, requireAnchored } from '../anchored-keys.ts';
import { readLedger } from '../ledger.ts';
import { planRecovery, type RecoveryPlan } from './plan-recovery.ts';
import { redo } from './redo.ts';

/** An older key store, and what it has to be told. */
export interface PlannedRecovery {
  readonly gap: Gap;
  readonly plan: RecoveryPlan;
  /** When the last entry was written that the backup has. */
  readonly backupAt: Date;
  /** The last entry of the audit that the backup has. */
  readonly from: string;
  readonly timeline: number;
  /** How many records of the ledger were left out that are none of this key store's. */
  readonly leftOut: number;
  /** Tokens and grants that the backup lets in: also those that were revoked since. */
  readonly tokens: number;
  readonly grants: number;
}

/**
 * Looks what an older key store has to be told; nothing is changed. Undefined for one that is not behind what was noted of it. KEY_STORE_INVALID
 * where it cannot be opened, where its audit is not whole, where a record of the ledger is not this key store's, and where something of the
 * ledger is gone.
 */
export async function planKeyStoreRecovery(
  config: Config,
  invalidRecords: 'refused' | 'left-out' = 'refused',
): Promise<PlannedRecovery | undefined> {
  const gap = await findGap(config).catch((error: unknown) => {
    throw sayIfTurned(error);
  });
  if (!gap) {
    // Where what was noted is gone, nobody can tell.
    await requireAnchored(config);
    return undefined;
  }
  const ledger = await readLedger(config, invalidRecords);
  return withKeyStore(config, async (client) => {
    const { broken } = await checkChain(client);
    if (broken) {
      throw invalid(
        `its own audit is not whole: entry ${broken.seq}, ${broken.why}`,
        'This is no backup as it was made: bring back another one.',
      );
    }
    const plan = await planRecovery(client, ledger);
    await requireWhole(client, gap, plan);
    const { seq, timeline } = await ledgerPlace(client);
    return {
      gap,
      plan,
      from: seq,
      timeline: Math.max(ledger.timeline, timeline) + 1,
      leftOut: ledger.leftOut,
      ...(await looksOf(client)),
    };
  });
}

/**
 * Tells the key store what it has missed, writes that down, and notes its audit as the one that counts. May be cut short and done again at any
 * point: until the last step it is refused as before.
 */
export async function recoverKeyStore(
  config: Config,
  { gap, plan, from, timeline, leftOut }: PlannedRecovery,
  reference: string,
  principal: string,
): Promise<Recovery> {
  const recovery = {
    from,
    noted: gap.anchor.seq,
    timeline,
    erased: plan.erase.length,
    suppressed: plan.suppress.length,
    lifted: plan.lift.length,
    leftOut,
    reference,
  };
  await withKeyStore(config, async (client) => {
    await redo(client, plan, principal);
    await finishRecovery(client, recovery, principal);
  });
  await anchorRecovered(config);
  return recovery;
}

/** A ledger of which something was taken away would bring back whom it told of. */
async function requireWhole(client: ClientBase, { anchor }: Gap, plan: RecoveryPlan): Promise<void> {
  const erased = (await readErased(client)) + plan.erase.length;
  if (erased >= anchor.erased) return;
  throw invalid(
    `with the ledger it comes to ${erased} persons who were erased, and ${anchor.erased} are noted`,
    'Something of the ledger is gone: bring its topic back.',
  );
}

async function looksOf(client: ClientBase): Promise<Pick<PlannedRecovery, 'backupAt' | 'tokens' | 'grants'>> {
  const { rows } = await client.query<Pick<PlannedRecovery, 'backupAt' | 'tokens' | 'grants'>>(
    `select (select at from lethe_keys.audit order by seq desc limit 1) as "backupAt",
            (select count(*)::int from lethe_keys.tokens
              where revoked_at is null and expires_at > clock_timestamp()) as tokens,
            (select count(*)::int from lethe_keys.grants
              where revoked_at is null and coalesce(expires_at > clock_timestamp(), true)) as grants`,
  );
  return rows[0]!;
}

/** The master key of an epoch goes for good: what a turn since the backup destroyed, nobody brings back. */
function sayIfTurned(error: unknown): unknown {
  if (!(error instanceof LetheError) || error.code !== 'KEY_STORE_INVALID') return error;
  return new LetheError('KEY_STORE_INVALID', `this key store cannot be recovered: ${error.message}`, {
    fix: 'If `lethe keys turn` ended the epoch of this backup since, nothing in it opens any more: docs/playbooks/key-store-invalid.md.',
    cause: error.cause,
  });
}

function invalid(why: string, fix: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', `this key store cannot be recovered: ${why}`, { fix });
}
