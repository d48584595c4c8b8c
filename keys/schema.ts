import { accessStatements } from './access/schema.ts';
import { linkStatements } from './linked-schema.ts';

/**
 * Tables of the key store, in the order of their making; each statement may be run again. Ids of data subjects stand in none of them: a
 * subject is found by a keyed digest of its id.
 */
export const keyStoreStatements = [
  'create schema if not exists lethe_keys',
  `create table if not exists lethe_keys.store (
     id uuid primary key default gen_random_uuid(),
     format int not null,
     anchored_at timestamptz,
     only_one boolean not null default true unique check (only_one))`,
  `create table if not exists lethe_keys.epochs (
     epoch int primary key,
     master_kind text not null,
     master_name text not null,
     wrapped bytea,
     state text not null check (state in ('open', 'closing', 'pending', 'destroyed')),
     opened_at timestamptz not null default now(),
     closed_at timestamptz,
     destroyed_at timestamptz,
     final_at timestamptz,
     check ((wrapped is null) = (state in ('pending', 'destroyed'))))`,
  `create unique index if not exists epochs_one_open on lethe_keys.epochs ((true)) where state = 'open'`,
  `create table if not exists lethe_keys.subjects (
     subject_type text not null,
     purpose text not null,
     subject_digest bytea not null,
     key_id uuid not null,
     created_at timestamptz not null default now(),
     primary key (subject_type, purpose, subject_digest))`,
  `create index if not exists subjects_by_key on lethe_keys.subjects (key_id)`,
  `create table if not exists lethe_keys.data_keys (
     key_id uuid not null,
     generation int not null,
     wrapped bytea,
     epoch int not null references lethe_keys.epochs,
     created_at timestamptz not null default now(),
     destroyed_at timestamptz,
     primary key (key_id, generation),
     check ((wrapped is null) = (destroyed_at is not null)))`,
  `create index if not exists data_keys_by_epoch on lethe_keys.data_keys (epoch) where wrapped is not null`,
  `create table if not exists lethe_keys.secrets (
     name text primary key,
     wrapped bytea not null,
     epoch int not null references lethe_keys.epochs,
     created_at timestamptz not null default now())`,
  `create index if not exists data_keys_destroyed on lethe_keys.data_keys (destroyed_at) where destroyed_at is not null`,
  // How many encryptions under a generation of a key that is nobody's own were handed out to processes, before they are made.
  `create table if not exists lethe_keys.reservations (
     key_id uuid not null,
     generation int not null,
     reserved bigint not null,
     primary key (key_id, generation))`,
  // Subjects of whom nothing may pass; the digest is that of `subjects`, of the person's own key.
  `create table if not exists lethe_keys.suppressed (
     subject_type text not null,
     subject_digest bytea not null,
     request text not null,
     suppressed_at timestamptz not null default clock_timestamp(),
     primary key (subject_type, subject_digest))`,
  `create index if not exists suppressed_lately on lethe_keys.suppressed (suppressed_at)`,
  `create table if not exists lethe_keys.audit (
     seq bigint primary key,
     at timestamptz not null,
     principal text not null,
     action text not null,
     details jsonb not null,
     hash bytea not null)`,
  // Against a slip of the hand; against intent there is the chain.
  `create or replace function lethe_keys.audit_is_append_only() returns trigger language plpgsql as
     $$ begin raise exception 'the audit is append-only'; end $$`,
  `create or replace trigger append_only before update or delete or truncate on lethe_keys.audit
     for each statement execute function lethe_keys.audit_is_append_only()`,
  ...linkStatements,
  ...accessStatements,
] as const;

/** Their names: where one is missing, the key store was made before there was such a table. */
export const keyStoreTables: readonly string[] = keyStoreStatements.flatMap(
  (statement) => /^create table if not exists (lethe_keys\.\w+)/.exec(statement)?.[1] ?? [],
);

/** What the tables hold, raised when their meaning changes. */
export const keyStoreFormat = 2;

/** Secret from which keys of declared join domains are derived. */
export const sharedSecret = 'shared';
/** Secret that subjects' digests are keyed with. */
export const indexSecret = 'index';
/** Seed of the key that certificates are signed with. */
export const signingSecret = 'signing';
export const secretNames = [sharedSecret, indexSecret, signingSecret] as const;
/** Those that a key store of an earlier version may lack. Another one that is missing was lost, and with it what was made with it. */
export const laterSecrets: readonly string[] = [signingSecret];
