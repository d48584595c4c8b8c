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
}

const shape = z.strictObject({ store: z.string(), seq: z.string(), head: z.string(), mac: z.string() });

/** The newest entry of the key store; undefined where there is none. */
export async function readHead(client: ClientBase): Promise<Anchor | undefined> {
  const { rows } = await client.query<Anchor>(
    `select s.id::text as store, a.seq::text as seq, encode(a.hash, 'hex') as head
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
  const parsed = shape.safeParse(parseJson(text));
  if (!parsed.success) throw behind('what is noted of it is no anchor');
  const { mac, ...anchor } = parsed.data;
  const own = macOf(anchor, key);
  const given = Buffer.from(mac, 'hex');
  const { rows } = await client.query<{ store: string; last: string; head: string | null }>(
    `select s.id::text as store,
            (select coalesce(max(seq), 0)::text from lethe_keys.audit) as last,
            (select encode(hash, 'hex') from lethe_keys.audit where seq = $1) as head
       from lethe_keys.store s`,
    [anchor.seq],
  );
  const found = rows[0];
  if (found?.store !== anchor.store) throw behind('it is another key store than the one that is noted');
  if (given.length !== own.length || !timingSafeEqual(given, own)) {
    throw behind('what is noted of it was not noted with its own key');
  }
  if (found.head === null) {
    throw behind(
      `its audit ends at entry ${found.last}, before entry ${anchor.seq}, which is noted: it is an older backup, or was cut`,
    );
  }
  if (found.head !== anchor.head)
    throw behind(`entry ${anchor.seq} of its audit is not the one that is noted`);
}

function behind(why: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', `the key store is not what it was: ${why}`, {
    fix: 'Bring back the newest state of the key store; what an older one means for those who were erased: docs/keys.md.',
  });
}

function macOf({ store, seq, head }: Anchor, key: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(lengthPrefixed('lethe/anchor/v1', store, seq, head))
    .digest();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
