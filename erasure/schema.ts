import { approvalStatements } from './approvals.ts';
import { certificateStatements } from './certificate-store.ts';
import { holdStatements } from './holds.ts';
import { noticeStatements } from './notices.ts';
import { restrictionStatements } from './restrictions.ts';
import { retainedStatements } from './retained-rows.ts';
import type { PlannedChange, Resource } from '../pipeline/resource.ts';
import type { Config } from '../schemas/config.ts';
import { keyStoreState } from '../keys/key-store-error.ts';
import { inTransaction, lockKeyStore, withKeyStore } from '../keys/key-store-client.ts';

/**
 * Tables of the erasure, in the key store's database. No subject's id stands in them but sealed: a subject is found by the digest that the
 * key store keys.
 */
const statements = [
  'create schema if not exists lethe_erasure',
  `create table if not exists lethe_erasure.records (
     dataset text not null,
     record_key text not null,
     subject_type text not null,
     subject_digest bytea not null,
     version text not null,
     gone_at timestamptz,
     primary key (dataset, record_key))`,
  `create index if not exists records_gone on lethe_erasure.records (gone_at) where gone_at is not null`,
  `create index if not exists records_by_subject on lethe_erasure.records (subject_type, subject_digest)`,
  `create table if not exists lethe_erasure.requests (
     id text primary key,
     subject_type text not null,
     subject_digest bytea not null,
     reason text not null,
     requested_by text not null,
     received_at timestamptz not null,
     deadline timestamptz not null,
     step text not null,
     state text not null check (state in ('open', 'needs-person', 'cancelled', 'refused', 'done')),
     attempts int not null default 0,
     retry_at timestamptz not null default clock_timestamp(),
     problem text,
     sealed bytea,
     steps jsonb not null default '[]',
     key_gone boolean not null default false,
     identity text,
     extended_at timestamptz,
     extension text,
     ground text,
     created_at timestamptz not null default clock_timestamp())`,
  // The request that it was filed along with, of a person with several ids.
  'alter table lethe_erasure.requests add column if not exists along text',
  `create unique index if not exists requests_one_open on lethe_erasure.requests (subject_type, subject_digest)
     where state in ('open', 'needs-person')`,
  `create index if not exists requests_with_key on lethe_erasure.requests (id) where not key_gone`,
  ...certificateStatements,
  ...restrictionStatements,
  ...holdStatements,
  ...approvalStatements,
  ...noticeStatements,
  ...retainedStatements,
] as const;

/** What `lethe apply` makes of them. */
export function erasureResources(config: Pick<Config, 'keys'>): Resource[] {
  const isThere = async (): Promise<boolean> =>
    withKeyStore(config, async (client) => {
      const { rows } = await client.query<{ there: boolean }>(
        `select to_regclass('lethe_erasure.certificates') is not null
            and to_regclass('lethe_erasure.restrictions') is not null
            and to_regclass('lethe_erasure.holds') is not null
            and to_regclass('lethe_erasure.approvals') is not null
            and to_regclass('lethe_erasure.notices') is not null
            and to_regclass('lethe_erasure.retained') is not null as there`,
      );
      return rows[0]!.there;
    });
  return [
    {
      name: 'erasure',
      system: 'keys',
      async diff(): Promise<PlannedChange[]> {
        const there = await isThere().catch((error: unknown) => {
          // A key store that is not there yet is another resource's matter.
          if (keyStoreState(error) !== undefined) return false;
          throw error;
        });
        return there ? [] : [{ action: 'create', summary: 'tables of the erasure, beside the keys' }];
      },
      apply: () =>
        withKeyStore(config, (client) =>
          inTransaction(client, async () => {
            await lockKeyStore(client);
            for (const statement of statements) await client.query(statement);
          }),
        ),
    },
  ];
}
