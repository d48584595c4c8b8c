import type { ClientBase } from 'pg';
import { isoText } from './audit-log.ts';
import { type AuditAction, type AuditDetails, type AuditEntry, chainHash, chainStart } from './entry.ts';

/** What a walk along the chain found. */
export interface ChainCheck {
  readonly entries: number;
  /** The hash of the last entry, in hex; what an anchor outside of the key store holds against a chain that was cut or made anew. */
  readonly head: string;
  /** The first entry that is not as it was written, and what is wrong with it. */
  readonly broken?: { readonly seq: string; readonly why: string };
}

interface Row {
  readonly seq: string;
  readonly at: string;
  readonly principal: string;
  readonly action: AuditAction;
  readonly details: AuditDetails;
  readonly hash: Buffer;
}

const page = 5_000;
/** Ordered by `a.seq`, never by `seq`: that is the text, by which 10 comes before 2. */
const columns = `a.seq::text as seq, ${isoText('a.at')} as at, a.principal, a.action, a.details, a.hash`;

/** The newest entries, the newest last. */
export async function lastEntries(client: ClientBase, count: number): Promise<AuditEntry[]> {
  const { rows } = await client.query<Row>(
    `select * from (select ${columns} from lethe_keys.audit a order by a.seq desc limit $1) newest order by seq::bigint`,
    [count],
  );
  return rows.map(entryOf);
}

/** Walks along the whole chain, in pages. */
export async function checkChain(client: ClientBase): Promise<ChainCheck> {
  let before = chainStart;
  let seq = 0n;
  for (;;) {
    const { rows } = await client.query<Row>(
      `select ${columns} from lethe_keys.audit a where a.seq > $1 order by a.seq limit ${page}`,
      [seq],
    );
    for (const row of rows) {
      const broken = (why: string): ChainCheck => ({
        entries: Number(seq),
        head: before.toString('hex'),
        broken: { seq: row.seq, why },
      });
      const entry = entryOf(row);
      if (entry.seq !== seq + 1n) return broken(`entry ${seq + 1n} is missing`);
      if (!chainHash(before, entry).equals(row.hash)) {
        return broken('it is not what was written, or what stood before it was changed');
      }
      before = row.hash;
      seq = entry.seq;
    }
    if (rows.length < page) return { entries: Number(seq), head: before.toString('hex') };
  }
}

function entryOf({ seq, at, principal, action, details }: Row): AuditEntry {
  return { seq: BigInt(seq), at, principal, action, details };
}
