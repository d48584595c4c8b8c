import type { ClientBase } from 'pg';
import type { CertificateBody } from '../../erasure/certificate.ts';

interface Row {
  readonly generations: number;
  readonly left: number;
  readonly destroyed_at: Date;
  readonly epoch: number;
  readonly final_at: Date | null;
}

type Keys = CertificateBody['keys'];

/** The person's key as the key store has it after its destruction: under which epoch it was wrapped, and since when nobody can open that. */
export async function keysOf(client: ClientBase, keyId: string): Promise<Keys> {
  const { rows } = await client.query<Row>(
    `select count(*)::int as generations, count(k.wrapped)::int as left, max(k.destroyed_at) as destroyed_at,
            max(k.epoch) as epoch,
            case when bool_and(e.state = 'destroyed') then max(e.final_at) end as final_at
       from lethe_keys.data_keys k join lethe_keys.epochs e using (epoch) where k.key_id = $1`,
    [keyId],
  );
  const { generations, left, destroyed_at, epoch, final_at } = rows[0]!;
  // Nobody may certify that a key is gone which is there.
  if (left > 0) throw new Error(`key ${keyId} is not destroyed`);
  return [
    {
      keyId,
      purpose: '',
      generations,
      destroyedAt: destroyed_at.toISOString(),
      epoch,
      finalAt: final_at?.toISOString() ?? null,
    },
  ];
}

/** Final is what no backup of the key store, with all master keys there are, can take back. */
export function finalityOf(keys: Keys): CertificateBody['finality'] {
  const open = keys.filter(({ finalAt }) => finalAt === null);
  const times = keys.map(({ finalAt }) => Date.parse(finalAt ?? ''));
  if (open.length === 0) return { state: 'final', at: new Date(Math.max(...times)).toISOString() };
  const epochs = [...new Set(open.map(({ epoch }) => epoch))];
  return {
    state: 'provisional',
    why: `An older backup of the key store opens the key until the master key of epoch ${epochs.join(', ')} is destroyed.`,
  };
}
