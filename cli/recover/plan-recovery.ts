import type { ClientBase } from 'pg';
import type { LedgerRecord } from '../../keys/ledger/ledger-record.ts';
import type { Ledger } from '../ledger.ts';

/** What the ledger has of persons and the key store does not. */
export interface RecoveryPlan {
  /** Suppressions that were lifted: of requests that were taken back, of restrictions that ended. */
  readonly lift: readonly LedgerRecord[];
  /** Persons whose keys were destroyed. */
  readonly erase: readonly LedgerRecord[];
  /** Of those: who was let in again, of which this key store knows nothing. They are kept out until they are let in once more. */
  readonly returned: number;
  readonly suppress: readonly LedgerRecord[];
  /** Requests that are not in this key store, and what had become of them. */
  readonly lost: readonly { readonly request: string; readonly state: 'suppressed' | 'destroyed' }[];
  /** Requests that stand here before the destruction of the key, which was done: they are to be carried out once more. */
  readonly again: readonly string[];
}

/** A person as the key store has them. */
interface Known {
  readonly suppressedBy: string | null;
  readonly keyId: string | null;
  /** Whether a generation of the key is there. */
  readonly alive: boolean;
}

/** Compares the ledger with a key store that was restored from a backup; nothing is changed. */
export async function planRecovery(client: ClientBase, ledger: Ledger): Promise<RecoveryPlan> {
  const requests = await stateOfRequests(client);
  const restrictions = await stateOfRestrictions(client);
  const plan = { lift: [], erase: [], suppress: [] } as Record<'lift' | 'erase' | 'suppress', LedgerRecord[]>;
  const returns = await readReturns(client);
  let returned = 0;
  for (const [person, known] of await personsOf(client, ledger.records)) {
    const since = sinceReturn(person, known.keyId, ledger, returns);
    const destroyed = since.findLast(({ state }) => state === 'destroyed' || state === 'readmitted');
    let { suppressedBy } = known;
    for (const record of since.filter(({ state }) => state === 'lifted')) {
      const { request, by } = record;
      const own = by === 'restriction' ? restrictions.get(request) : requests.get(request);
      if (suppressedBy !== request && own !== 'open') continue;
      plan.lift.push(record);
      if (suppressedBy === request) suppressedBy = null;
    }
    if (destroyed) {
      if (suppressedBy !== null && known.keyId !== null && !known.alive) continue;
      plan.erase.push(destroyed);
      if (destroyed.state === 'readmitted') returned++;
      continue;
    }
    for (const record of since.filter(({ state }) => state === 'suppressed')) {
      const { request, by } = record;
      const own = by === 'restriction' ? restrictions.get(request) : requests.get(request);
      // It ended before the backup was made, and somebody was cut short before he could note it.
      if (own === 'ended') continue;
      if (suppressedBy !== null && (by === 'request' || own === 'open')) continue;
      plan.suppress.push(record);
      suppressedBy ??= request;
    }
  }
  const ofRequests = ledger.records.filter(({ by, request }) => by === 'request' && request !== '');
  return {
    ...plan,
    returned,
    lost: ofRequests.flatMap(({ request, state }) =>
      !requests.has(request) && (state === 'suppressed' || state === 'destroyed') ? [{ request, state }] : [],
    ),
    again: ofRequests.flatMap(({ request, state }) =>
      state === 'destroyed' && requests.get(request) === 'open' ? [request] : [],
    ),
  };
}

/**
 * What was done with a person since they were let in again under the key that the key store has. A return that it does not know of counts for
 * nothing; one that nobody could note, since he was cut short, is seen by its place in the audit.
 */
function sinceReturn(
  person: readonly LedgerRecord[],
  keyId: string | null,
  { isKeyOf }: Ledger,
  returns: ReadonlyMap<string, bigint>,
): readonly LedgerRecord[] {
  if (keyId === null) return person;
  const noted = person.findLastIndex((record) => record.state === 'readmitted' && isKeyOf(record, keyId));
  if (noted >= 0) return person.slice(noted + 1);
  const returnedAt = returns.get(keyId);
  if (returnedAt === undefined) return person;
  return person.filter(({ seq }) => BigInt(seq) >= returnedAt);
}

/** Under which keys somebody was let in again, and which entry of the audit says so. */
async function readReturns(client: ClientBase): Promise<ReadonlyMap<string, bigint>> {
  const { rows } = await client.query<{ keyId: string; seq: string }>(
    `select details->>'keyId' as "keyId", seq::text as seq from lethe_keys.audit where action = 'subject-readmitted'`,
  );
  return new Map(rows.map(({ keyId, seq }) => [keyId, BigInt(seq)]));
}

/** The records of each person, in their order, with what the key store has of them. */
async function personsOf(
  client: ClientBase,
  records: readonly LedgerRecord[],
): Promise<(readonly [LedgerRecord[], Known])[]> {
  const persons = new Map<string, LedgerRecord[]>();
  for (const record of records) {
    const name = `${record.type}/${record.digest}`;
    persons.set(name, [...(persons.get(name) ?? []), record]);
  }
  const all = [...persons.values()];
  const { rows } = await client.query<Known>(
    `select x.request as "suppressedBy", s.key_id::text as "keyId",
            exists (select from lethe_keys.data_keys k where k.key_id = s.key_id and k.wrapped is not null) as alive
       from unnest($1::text[], $2::text[]) with ordinality as g (t, d, n)
       left join lethe_keys.suppressed x on x.subject_type = t and x.subject_digest = decode(d, 'hex')
       left join lethe_keys.subjects s on s.subject_type = t and s.purpose = '' and s.subject_digest = decode(d, 'hex')
      order by n`,
    [all.map(([first]) => first!.type), all.map(([first]) => first!.digest)],
  );
  return all.map((person, i) => [person, rows[i]!] as const);
}

type Ids = ReadonlyMap<string, 'open' | 'ended'>;

async function stateOfRequests(client: ClientBase): Promise<Ids> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `select id, state in ('open', 'needs-person') as open from lethe_erasure.requests`,
  );
  return new Map(rows.map(({ id, open }) => [id, open ? 'open' : 'ended']));
}

async function stateOfRestrictions(client: ClientBase): Promise<Ids> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    'select id, lifted_at is null as open from lethe_erasure.restrictions',
  );
  return new Map(rows.map(({ id, open }) => [id, open ? 'open' : 'ended']));
}
