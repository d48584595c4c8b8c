import { roles } from './permissions.ts';

/**
 * Tables of who may do what, in the key store's schema; each statement may be run again. No row is ever deleted: that there was a principal
 * closes the key store to whoever has no token, for good. Of a token its hash alone is kept, and the day it was last used.
 */
export const accessStatements = [
  // A principal without a role is one whose role its tokens tell, and who is kept out here.
  `create table if not exists lethe_keys.principals (
     name text primary key,
     role text check (role in (${roles.map((role) => `'${role}'`).join(', ')})),
     created_at timestamptz not null default now(),
     disabled_at timestamptz,
     check (role is not null or disabled_at is not null))`,
  `create table if not exists lethe_keys.tokens (
     id uuid primary key,
     principal text not null references lethe_keys.principals,
     hash bytea not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz not null,
     revoked_at timestamptz,
     last_used date)`,
  `create table if not exists lethe_keys.grants (
     id uuid primary key,
     principal text not null,
     table_name text not null,
     classification text not null,
     why text not null,
     granted_by text not null,
     created_at timestamptz not null default now(),
     expires_at timestamptz,
     revoked_at timestamptz,
     check (principal <> granted_by))`,
  `create index if not exists grants_by_principal on lethe_keys.grants (principal)`,
  `create table if not exists lethe_keys.glass (
     id uuid primary key,
     principal text not null,
     kind text not null check (kind in ('payload', 'decrypt', 'readmit')),
     table_name text not null,
     classification text not null,
     reason text not null,
     open_ms bigint not null,
     created_at timestamptz not null,
     opens_until timestamptz,
     closed_at timestamptz)`,
  `create table if not exists lethe_keys.glass_approvals (
     glass uuid not null references lethe_keys.glass,
     principal text not null,
     at timestamptz not null,
     primary key (glass, principal))`,
] as const;
