/** Tables of persons who have several ids; each statement may be run again. The ids are sealed: they must be known to erase their rows. */
export const linkStatements = [
  `create table if not exists lethe_keys.linked (
     subject_type text not null,
     subject_digest bytea not null,
     person uuid not null,
     sealed bytea not null,
     linked_at timestamptz not null default clock_timestamp(),
     primary key (subject_type, subject_digest))`,
  'create index if not exists linked_by_person on lethe_keys.linked (person)',
] as const;
