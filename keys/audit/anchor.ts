import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ClientBase } from 'pg';
import { z } from 'zod';
import { LetheError } from '../../schemas/errors.ts';
import { lengthPrefixed } from '../../schemas/length-prefixed.ts';

/**
 * The head of the audit, noted outside of the key store: a store whose audit has not got that far, or has another entry there, is an older
 * backup, or was tampered with.
 */
export interface Anchor {
  /** Id of the key store. */
  readonly store: string;
  readonly seq: string;
  /** Hash of that entry, in hex. */
  readonly head: string;
  /** How many persons were erased and not let in again: what a recovery must come to at least. */
  readonly erased: number;
}

const shape = z.strictObject({
  store: z.string(),
  seq: z.string(),
  head: z.string(),
  erased: z.int(),
  mac: z.string(),
});

/** Suppressed, and nothing left of the key. */
const countErased = `select count(*)::int from lethe_keys.suppressed x
  join lethe_keys.subjects p using (subject_type, subject_digest)
 where p.purpose = ''
   and not exists (select from lethe_keys.data_keys k where k.key_id = p.key_id and k.wrapped is not null)`;

/** The newest entry of the key store; undefined where there is none. */
export async function readHead(client: ClientBase): Promise<Anchor | undefined> {
  const { rows } = await client.query<Anchor>(
    `select s.id::text as store, a.seq::text as seq, encode(a.hash, 'hex') as head, (${countErased}) as erased
       from lethe_keys.store s cross join lateral (select seq, hash from lethe_keys.audit order by seq desc limit 1) a`,
  );
  return rows[0];
}

/** An anchor as text, with a MAC under a key of the key store: who may write where it is noted cannot make one. */
export function sealAnchor(anchor: Anchor, key: Buffer): string {
  return JSON.stringify({ ...anchor, mac: macOf(anchor, key).toString('hex') });
}

/** KEY_STORE_INVALID where the key store is behind its anchor, or the anchor is none of its own. */
export async function checkAnchor(client: ClientBase, text: string, key: Buffer): Promise<void> {
  const why = await gapBehind(client, await openAnchor(client, text, key));
  if (why !== undefined) throw keyStoreBehind(why);
}

/** The anchor that was noted; KEY_STORE_INVALID for one that is none of this key store's. */
export async function openAnchor(client: ClientBase, text: string, key: Buffer): Promise<Anchor> {
  const parsed = shape.safeParse(parseJson(text));
  if (!parsed.success) throw keyStoreBehind('what is noted of it is no anchor');
  const { mac, ...anchor } = parsed.data;
  const own = macOf(anchor, key);
  const given = Buffer.from(mac, 'hex');
  const { rows } = await client.query<{ store: string }>(
    'select s.id::text as store from lethe_keys.store s',
  );
  if (rows[0]?.store !== anchor.store)
    throw keyStoreBehind('it is another key store than the one that is noted');
  if (given.length !== own.length || !timingSafeEqual(given, own)) {
    throw keyStoreBehind('what is noted of it was not noted with its own key');
  }
  return anchor;
}

/** Why the key store is behind what was noted of it, for people; undefined where it is not. */
export async function gapBehind(client: ClientBase, { seq, head }: Anchor): Promise<string | undefined> {
  const { rows } = await client.query<{ last: string; head: string | null }>(
    `select (select coalesce(max(seq), 0)::text from lethe_keys.audit) as last,
            (select encode(hash, 'hex') from lethe_keys.audit where seq = $1) as head`,
    [seq],
  );
  const found = rows[0]!;
  if (found.head === null) {
    return `its audit ends at entry ${found.last}, before entry ${seq}, which is noted: it is an older backup, or was cut`;
  }
  return found.head === head ? undefined : `entry ${seq} of its audit is not the one that is noted`;
}

/** How many persons are erased in this key store. */
export async function readErased(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ erased: number }>(`select (${countErased}) as erased`);
  return rows[0]!.erased;
}

/** What is said of a key store that is an older backup, or was tampered with. `why`: for people, without anything personal. */
export function keyStoreBehind(why: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', `the key store is not what it was: ${why}`, {
    fix: 'Bring back the newest state of the key store; where there is only an older one, `lethe keys recover` goes on with it: docs/playbooks/key-store-invalid.md.',
  });
}

function macOf({ store, seq, head, erased }: Anchor, key: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(lengthPrefixed('lethe/anchor/v2', store, seq, head, String(erased)))
    .digest();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
