import type { ClientBase } from 'pg';
import { inTransaction } from '../keys/key-store-client.ts';

/** The ledger of rows that are kept by law; each statement may be run again. */
export const retainedStatements = [
  `create table if not exists lethe_erasure.retained (
     dataset text not null,
     record_key text not null,
     request text not null,
     origin text not null,
     key_id uuid,
     version text not null,
     basis text not null,
     until timestamptz not null,
     retained_at timestamptz not null default clock_timestamp(),
     ended_at timestamptz,
     primary key (dataset, record_key))`,
  `create index if not exists retained_open on lethe_erasure.retained (until) where ended_at is null`,
  `create index if not exists retained_by_request on lethe_erasure.retained (request)`,
] as const;

/** A row that is kept by law: a record of a clean topic, under an id drawn by lot. */
export interface RetainedRow {
  readonly dataset: string;
  readonly recordKey: string;
  /** The erasure that left it. */
  readonly request: string;
  /** Key of what is encrypted in it; null where nothing is. */
  readonly keyId: string | null;
  /** Of the record. */
  readonly version: string;
  readonly basis: string;
  readonly until: Date;
}

/** What all rows of a table have in common that a request keeps. */
export type Keeping = Omit<RetainedRow, 'recordKey'>;

/** A row to be kept. */
export interface Draw {
  /** Tells who draws again that it is his: a digest under a secret of the request, which says nothing once that is gone. */
  readonly origin: string;
  readonly key: (attempt: number) => string;
}

const mostAttempts = 100;

/**
 * Notes rows before their records are written, under keys that nobody else has in the table. The same draws come to the same keys. Answers in
 * the order of the draws.
 */
export async function claimRetained(
  client: ClientBase,
  { dataset, request, keyId, version, basis, until }: Keeping,
  draws: readonly Draw[],
): Promise<string[]> {
  const keys = new Map<string, string>();
  for (let attempt = 0; keys.size < draws.length; attempt++) {
    if (attempt === mostAttempts) throw new Error(`no free keys in ${dataset}`);
    const open = draws.filter(({ origin }) => !keys.has(origin));
    const drawn = open.map(({ key }) => key(attempt));
    const { rows } = await inTransaction(client, async () => {
      await client.query(
        `insert into lethe_erasure.retained (dataset, record_key, request, origin, key_id, version, basis, until)
         select $1, d.key, $2, d.origin, $3, $4, $5, $6 from unnest($7::text[], $8::text[]) d (key, origin)
          where not exists (select from lethe_erasure.records r where r.dataset = $1 and r.record_key = d.key)
         on conflict do nothing`,
        [dataset, request, keyId, version, basis, until, drawn, open.map(({ origin }) => origin)],
      );
      return client.query<{ key: string; origin: string }>(
        `select record_key as key, origin from lethe_erasure.retained where dataset = $1 and record_key = any($2)`,
        [dataset, drawn],
      );
    });
    const owners = new Map(rows.map(({ key, origin }) => [key, origin]));
    for (const [i, { origin }] of open.entries())
      if (owners.get(drawn[i]!) === origin) keys.set(origin, drawn[i]!);
  }
  return draws.map(({ origin }) => keys.get(origin)!);
}

/** Of which rows is asked: those of a request, those that are due to end, those of a person. */
export interface RetainedFilter {
  readonly request?: string;
  readonly due?: true;
  readonly subject?: { readonly type: string; readonly digest: Buffer };
}

/**
 * Their time is over; or the person is back, readmitted or by a request that was cancelled, with rows that say the same: who did that was cut
 * short before he took them back.
 */
const isDue = `(k.until <= clock_timestamp() or (
  not exists (select from lethe_keys.suppressed p
    where p.subject_type = r.subject_type and p.subject_digest = r.subject_digest)
  and exists (select from lethe_keys.subjects s join lethe_keys.data_keys d using (key_id)
    where s.subject_type = r.subject_type and s.purpose = '' and s.subject_digest = r.subject_digest and d.wrapped is not null)))`;

/** Rows that are kept now; the one whose time ends first in front. */
export async function readRetained(client: ClientBase, filter: RetainedFilter = {}): Promise<RetainedRow[]> {
  const { request = null, due = false, subject } = filter;
  const { rows } = await client.query<RetainedRow>(
    `select k.dataset, k.record_key as "recordKey", k.request, k.key_id as "keyId", k.version, k.basis, k.until
       from lethe_erasure.retained k left join lethe_erasure.requests r on r.id = k.request
      where k.ended_at is null
        and ($1::text is null or k.request = $1)
        and (not $2 or ${isDue})
        and ($3::text is null or (r.subject_type = $3 and r.subject_digest = $4))
      order by k.until, k.dataset, k.record_key`,
    [request, due, subject?.type ?? null, subject?.digest ?? null],
  );
  return rows;
}

/** Is any row due to end? */
export async function isAnyDue(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ any: boolean }>(
    `select exists (select from lethe_erasure.retained k left join lethe_erasure.requests r on r.id = k.request
      where k.ended_at is null and ${isDue}) as any`,
  );
  return rows[0]!.any;
}

/** Notes that their records are gone. */
export async function noteEnded(client: ClientBase, rows: readonly RetainedRow[]): Promise<void> {
  await client.query(
    `update lethe_erasure.retained k set ended_at = clock_timestamp()
       from unnest($1::text[], $2::text[]) e (dataset, key)
      where k.dataset = e.dataset and k.record_key = e.key and ended_at is null`,
    [rows.map(({ dataset }) => dataset), rows.map(({ recordKey }) => recordKey)],
  );
}
