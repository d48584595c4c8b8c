import type { Config } from '../../schemas/config.ts';
import type { FindingCode, Severity } from '../../schemas/finding.ts';
import { slotName } from '../../schemas/names.ts';
import type { SourceFacts } from './source-facts.ts';

/** What stands in the way, without a place: whoever asked knows the file. */
export interface Obstacle {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly message: string;
  readonly fix: string;
}

type Check = (facts: SourceFacts, slot: string) => Obstacle | undefined;

/** Column lists came with PostgreSQL 15. */
const oldestServer = 150000;

const unfit = (message: string, fix: string): Obstacle => ({
  severity: 'error',
  code: 'SOURCE_UNFIT',
  message,
  fix,
});

const serverVersion: Check = (facts) =>
  facts.server_version < oldestServer
    ? unfit(
        `PostgreSQL ${Math.floor(facts.server_version / 10000)} knows no column lists, so a dropped column would leave it`,
        'Upgrade to PostgreSQL 15 or later.',
      )
    : undefined;

const primaryServer: Check = (facts) =>
  facts.in_recovery
    ? unfit('the server is a standby: nothing can be set up there', 'Give the address of the primary.')
    : undefined;

const walLevel: Check = (facts) =>
  facts.wal_level === 'logical'
    ? undefined
    : unfit(
        `wal_level is ${facts.wal_level}: changes cannot be decoded`,
        'Set wal_level = logical in postgresql.conf and restart Postgres.',
      );

const replicationRight: Check = (facts) =>
  facts.superuser || facts.replication
    ? undefined
    : unfit(`the role ${facts.role} may not replicate`, `Run: ALTER ROLE ${quoted(facts.role)} REPLICATION;`);

const createRight: Check = (facts) =>
  facts.may_create
    ? undefined
    : unfit(
        `the role ${facts.role} may not create the schema lethe and a publication in ${facts.database}`,
        `Run: GRANT CREATE ON DATABASE ${quoted(facts.database)} TO ${quoted(facts.role)};`,
      );

const freeSlot: Check = (facts) =>
  facts.slot || facts.used_slots < facts.max_slots
    ? undefined
    : unfit(
        `all ${facts.max_slots} replication slots are taken`,
        'Drop an unused slot, or raise max_replication_slots and restart Postgres.',
      );

const freeWalSender: Check = (facts) =>
  facts.slot?.active || facts.used_wal_senders < facts.max_wal_senders
    ? undefined
    : unfit(
        `all ${facts.max_wal_senders} WAL senders are taken`,
        'Raise max_wal_senders and restart Postgres, or end a replication connection.',
      );

const slotPlace: Check = (facts, slot) => {
  if (!facts.slot) return undefined;
  if (facts.slot.plugin !== 'pgoutput') {
    return unfit(
      `the slot ${slot} is not one of pgoutput`,
      'Choose another `name` in lethe.yaml, or drop the slot.',
    );
  }
  if (facts.slot.database !== facts.database) {
    return unfit(
      `the slot ${slot} belongs to the database ${facts.slot.database ?? '?'}: another pipeline has this name`,
      'Choose another `name` in lethe.yaml, or drop the slot.',
    );
  }
  return undefined;
};

const slotAlive: Check = (facts, slot) => {
  if (!facts.slot) return undefined;
  const reason = facts.slot.invalidation_reason;
  if (facts.slot.wal_status === 'lost' || reason) {
    return {
      severity: 'error',
      code: 'SLOT_LOST',
      message: `the slot ${slot} is lost${reason ? ` (${reason})` : ''}: changes were made that nobody will see`,
      fix: 'Raise max_slot_wal_keep_size; run `lethe connector delete`, `lethe apply` for a new snapshot, and `lethe reconcile --repair`.',
    };
  }
  if (facts.slot.wal_status === 'unreserved') {
    return {
      severity: 'warning',
      code: 'SLOT_LOST',
      message: `the slot ${slot} is about to be lost: its WAL goes with the next checkpoint`,
      fix: 'Start the connector now, or raise max_slot_wal_keep_size.',
    };
  }
  return undefined;
};

/** One a concern, in the order they are to be settled. */
const checks: readonly Check[] = [
  serverVersion,
  primaryServer,
  walLevel,
  replicationRight,
  createRight,
  freeSlot,
  freeWalSender,
  slotPlace,
  slotAlive,
];

/** Every obstacle that the server or the role puts in the way of the pipeline. */
export function sourceObstacles(facts: SourceFacts, config: Pick<Config, 'name' | 'topics'>): Obstacle[] {
  return checks.flatMap((check) => check(facts, slotName(config)) ?? []);
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
