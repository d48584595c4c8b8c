import type { Config, OverrideName } from '../schemas/config.ts';
import { isAccessOpen } from './access/require-permission.ts';
import { withKeyStore } from './key-store-client.ts';
import type { MasterKind } from './master/master-key.ts';

export interface EpochStatus {
  readonly epoch: number;
  readonly master: MasterKind;
  /** What the master keys' keeper calls its key. */
  readonly name: string;
  /** `open`; `closing`: keys are still wrapped under it; `pending`: its master key can still be taken back; `destroyed`. */
  readonly state: 'open' | 'closing' | 'pending' | 'destroyed';
  readonly openedAt: Date;
  /** When nobody can open anything of it any more; in the future while it is pending. */
  readonly finalAt?: Date;
}

/** Who is let in to the keys. */
export interface AccessStatus {
  /** Whoever has lethe.yaml may do all. */
  readonly open: boolean;
  /** Those of this key store that are let in. */
  readonly principals: number;
  /** Glasses that are broken at this moment. */
  readonly openGlass: number;
}

/** The key store as a person who answers for it must know it. */
export interface KeyStoreStatus {
  readonly environment: Config['environment'];
  readonly overrides: readonly OverrideName[];
  /** The newest first. */
  readonly epochs: readonly EpochStatus[];
  /** Keys that are there, and those that were destroyed. */
  readonly keys: { readonly kept: number; readonly destroyed: number };
  /** Of the destroyed: those that an older backup and the master keys can still open. */
  readonly provisional: number;
  readonly access: AccessStatus;
}

interface Row {
  readonly epoch: number;
  readonly master_kind: MasterKind;
  readonly master_name: string;
  readonly state: EpochStatus['state'];
  readonly opened_at: Date;
  readonly final_at: Date | null;
}

/** Looks at the key store; nobody asks the master keys. */
export async function readKeyStoreStatus(
  config: Pick<Config, 'keys' | 'access' | 'environment' | 'overrides'>,
): Promise<KeyStoreStatus> {
  return withKeyStore(config, async (client) => {
    const epochs = await client.query<Row>(
      `select epoch, master_kind, master_name, state, opened_at, final_at from lethe_keys.epochs order by epoch desc`,
    );
    // A key was last wrapped under an epoch that was opened before it was destroyed: it is gone when that epoch is.
    const keys = await client.query<{ kept: number; destroyed: number; provisional: number }>(
      `select count(*) filter (where k.wrapped is not null)::int as kept,
              count(*) filter (where k.wrapped is null)::int as destroyed,
              count(*) filter (where k.wrapped is null and e.state <> 'destroyed')::int as provisional
         from lethe_keys.data_keys k join lethe_keys.epochs e using (epoch)`,
    );
    const access = await client.query<Omit<AccessStatus, 'open'>>(
      `select (select count(*) from lethe_keys.principals where disabled_at is null)::int as principals,
              (select count(*) from lethe_keys.glass
                where opens_until > clock_timestamp() and closed_at is null)::int as "openGlass"`,
    );
    const { kept, destroyed, provisional } = keys.rows[0]!;
    return {
      environment: config.environment,
      overrides: config.overrides,
      epochs: epochs.rows.map((row) => ({
        epoch: row.epoch,
        master: row.master_kind,
        name: row.master_name,
        state: row.state,
        openedAt: row.opened_at,
        ...(row.final_at ? { finalAt: row.final_at } : {}),
      })),
      keys: { kept, destroyed },
      provisional,
      access: { open: await isAccessOpen(client, config), ...access.rows[0]! },
    };
  });
}
