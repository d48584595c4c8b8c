import type { SourceFacts } from '../../connectors/postgres/source-facts.ts';

/** A source in whose way nothing stands. */
export const soundSource: SourceFacts = {
  database: 'shop',
  server_version: 180004,
  wal_level: 'logical',
  max_slots: 10,
  used_slots: 3,
  max_wal_senders: 10,
  used_wal_senders: 3,
  role: 'app',
  superuser: false,
  replication: true,
  may_create: true,
  slot: null,
  in_recovery: false,
  wal_end: '0/1A2B3C4',
};
