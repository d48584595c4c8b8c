/** Tables of the key store, in the order of their making; each statement may be run again. */
export const keyStoreStatements = [
  'create schema if not exists lethe_keys',
  `create table if not exists lethe_keys.master_keys (
     version int primary key,
     check_value bytea not null,
     created_at timestamptz not null default now())`,
  `create table if not exists lethe_keys.data_keys (
     key_id uuid primary key,
     generation int not null,
     subject_type text not null,
     subject_digest bytea not null,
     wrapped bytea,
     master_version int not null references lethe_keys.master_keys,
     created_at timestamptz not null default now(),
     destroyed_at timestamptz,
     unique (subject_type, subject_digest, generation),
     check ((wrapped is null) = (destroyed_at is not null)))`,
  `create table if not exists lethe_keys.secrets (
     name text primary key,
     wrapped bytea not null,
     master_version int not null references lethe_keys.master_keys,
     created_at timestamptz not null default now())`,
] as const;

/** Secret from which all pseudonym keys are derived. */
export const pseudonymSecret = 'pseudonym';
