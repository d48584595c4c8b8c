import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { LetheError } from '../schemas/errors.ts';
import { keyUse } from '../schemas/key-use.ts';
import { appendAudit } from './audit/audit-log.ts';
import { associatedData, decrypt, encrypt } from './ciphertext.ts';
import { destroyKeyWithin } from './destroy-key.ts';
import type { PostgresKeyStore } from './postgres-key-store.ts';

/** Whose keys the ids are sealed under: one for each person. */
const linkKind = { type: 'lethe-linked' } as const;
const use = keyUse('encrypt', 'lethe-linked', 'id');

interface Named {
  readonly id: string;
  readonly digest: Buffer;
}

type Digests = Pick<PostgresKeyStore, 'subjectDigest' | 'dataKeys'>;

/**
 * Notes that two ids of a kind are one person's, within the caller's transaction. One of them that has no key yet gets the other's, so that
 * what the person's rows become stays the same under either; where both have one, each stays readable under its own. Persons who were
 * linked before are one from now on. KEY_STORE_INVALID where one of them is suppressed.
 */
export async function linkSubjects(
  client: ClientBase,
  keys: Digests,
  type: string,
  ids: readonly [string, string],
  principal: string,
): Promise<{ readonly ids: number; readonly sharesKey: boolean }> {
  const [one, other] = [await named(keys, type, ids[0]), await named(keys, type, ids[1])];
  const both = [one.digest, other.digest];
  await refuseSuppressed(client, type, both);
  const members = new Map<string, Named>();
  for (const subject of [one, other, ...(await groupOf(client, keys, type, both))])
    members.set(subject.digest.toString('hex'), subject);
  const person = randomUUID();
  const [key] = await keys.dataKeys(linkKind, [person]);
  if (!key) throw invalid('the key of a person who has several ids is gone', 'Run `lethe audit verify`.');
  const before = await personsOf(client, type, both);
  for (const { id, digest } of members.values()) {
    const sealed = encrypt(key, use, associatedData('linked', person), Buffer.from(id));
    await client.query(
      `insert into lethe_keys.linked (subject_type, subject_digest, person, sealed) values ($1, $2, $3, $4)
       on conflict (subject_type, subject_digest) do update set person = excluded.person, sealed = excluded.sealed`,
      [type, digest, person, sealed],
    );
  }
  for (const old of before) await destroyPerson(client, keys, old);
  const sharesKey = await shareKey(client, type, one.digest, other.digest);
  await appendAudit(
    client,
    'subjects-linked',
    { type, ids: members.size, keys: sharesKey ? 'one' : 'own' },
    principal,
  );
  return { ids: members.size, sharesKey };
}

/**
 * Takes an id back out of its person, within the caller's transaction. KEY_STORE_INVALID where it is in none, or shares its key with another:
 * whose values those under that key are nobody could tell.
 */
export async function unlinkSubject(
  client: ClientBase,
  keys: Digests,
  type: string,
  id: string,
  principal: string,
): Promise<void> {
  const { digest } = await named(keys, type, id);
  const others = (await linkedSubjects(client, keys, type, digest)).map((other) => other.digest);
  if (others.length === 0) throw invalid(`this ${type} has no other id`, 'Nothing is to be undone.');
  const { rowCount } = await client.query(
    `select from lethe_keys.subjects a join lethe_keys.subjects b using (key_id)
      where a.subject_type = $1 and a.purpose = '' and a.subject_digest = $2 and b.subject_digest = any($3)`,
    [type, digest, others],
  );
  if (rowCount !== 0)
    throw invalid(
      'both ids are under one key, and what is encrypted under it tells them apart no more',
      'Have the rows that are another person’s get another id at the source.',
    );
  await forgetLink(client, keys, type, digest);
  await appendAudit(client, 'subjects-unlinked', { type }, principal);
}

/** The person's other ids, within or without a transaction; none for who has one alone. */
export async function linkedSubjects(
  client: Pick<ClientBase, 'query'>,
  keys: Pick<PostgresKeyStore, 'dataKeys'>,
  type: string,
  digest: Buffer,
): Promise<Named[]> {
  const group = await groupOf(client, keys, type, [digest]);
  return group.filter((subject) => !subject.digest.equals(digest));
}

/** Whether the person has other ids as well. */
export async function isLinked(
  client: Pick<ClientBase, 'query'>,
  type: string,
  digest: Buffer,
): Promise<boolean> {
  return (await personsOf(client, type, [digest])).length > 0;
}

/**
 * Forgets an id that the person no longer has, within the caller's transaction. With one id left nothing is linked any more, and the key that
 * the ids were sealed under is destroyed: they are personal data.
 */
export async function forgetLink(
  client: ClientBase,
  keys: Digests,
  type: string,
  digest: Buffer,
): Promise<void> {
  const [person] = await personsOf(client, type, [digest]);
  if (person === undefined) return;
  await client.query('delete from lethe_keys.linked where subject_type = $1 and subject_digest = $2', [
    type,
    digest,
  ]);
  const { rowCount } = await client.query('select from lethe_keys.linked where person = $1', [person]);
  if (rowCount! > 1) return;
  await client.query('delete from lethe_keys.linked where person = $1', [person]);
  await destroyPerson(client, keys, person);
}

async function named(keys: Digests, type: string, id: string): Promise<Named> {
  return { id, digest: await keys.subjectDigest({ type }, id) };
}

async function personsOf(
  client: Pick<ClientBase, 'query'>,
  type: string,
  digests: readonly Buffer[],
): Promise<string[]> {
  const { rows } = await client.query<{ person: string }>(
    'select distinct person from lethe_keys.linked where subject_type = $1 and subject_digest = any($2)',
    [type, digests],
  );
  return rows.map(({ person }) => person);
}

async function groupOf(
  client: Pick<ClientBase, 'query'>,
  keys: Pick<PostgresKeyStore, 'dataKeys'>,
  type: string,
  digests: readonly Buffer[],
): Promise<Named[]> {
  const persons = await personsOf(client, type, digests);
  if (persons.length === 0) return [];
  const { rows } = await client.query<{ person: string; digest: Buffer; sealed: Buffer }>(
    'select person, subject_digest as digest, sealed from lethe_keys.linked where person = any($1) order by linked_at, subject_digest',
    [persons],
  );
  const opened = await keys.dataKeys(linkKind, persons);
  return rows.map(({ person, digest, sealed }) => {
    const key = opened[persons.indexOf(person)];
    const id = key && decrypt(key, use, associatedData('linked', person), sealed);
    if (!id) throw invalid('an id of a person who has several cannot be opened', 'Run `lethe audit verify`.');
    return { id: id.toString(), digest };
  });
}

/** Gives the key of the one to the other, if that has none; whether both have one key now. */
async function shareKey(client: ClientBase, type: string, one: Buffer, other: Buffer): Promise<boolean> {
  await client.query(
    `insert into lethe_keys.subjects (subject_type, purpose, subject_digest, key_id)
     select $1, '', case when s.subject_digest = $2 then $3::bytea else $2 end, s.key_id from lethe_keys.subjects s
      where s.subject_type = $1 and s.purpose = '' and s.subject_digest in ($2, $3)
     on conflict do nothing`,
    [type, one, other],
  );
  const { rowCount } = await client.query(
    `select from lethe_keys.subjects a join lethe_keys.subjects b using (key_id)
      where a.subject_type = $1 and a.purpose = '' and a.subject_digest = $2 and b.subject_digest = $3`,
    [type, one, other],
  );
  return rowCount !== 0;
}

async function refuseSuppressed(client: ClientBase, type: string, digests: readonly Buffer[]): Promise<void> {
  const { rowCount } = await client.query(
    'select from lethe_keys.suppressed where subject_type = $1 and subject_digest = any($2)',
    [type, digests],
  );
  if (rowCount === 0) return;
  throw invalid(
    `one of the two ids is suppressed: the ${type} is being erased, was, or is restricted`,
    'Erase or restrict the other id as well, or wait until the restriction is lifted.',
  );
}

async function destroyPerson(client: ClientBase, keys: Digests, person: string): Promise<void> {
  await destroyKeyWithin(client, linkKind, await keys.subjectDigest(linkKind, person));
}

function invalid(message: string, fix: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', message, { fix });
}
