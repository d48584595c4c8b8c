import { withKeyStore } from '../keys/key-store-client.ts';
import { linkedSubjects } from '../keys/linked-subjects.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import type { Config } from '../schemas/config.ts';
import type { Subject } from './subject.ts';

/** The person under every id that is known to be theirs, the given one first. */
export async function everyIdOf(
  config: Pick<Config, 'keys'>,
  keys: PostgresKeyStore,
  subject: Subject,
): Promise<[Subject, ...Subject[]]> {
  const { type, id } = subject;
  const digest = await keys.subjectDigest({ type }, id);
  const others = await withKeyStore(config, (client) => linkedSubjects(client, keys, type, digest));
  return [subject, ...others.map((other) => ({ type, id: other.id }))];
}
