import { expect, test } from 'vitest';
import { sourceObstacles } from '../../../connectors/postgres/preflight.ts';
import { sourceError } from '../../../connectors/postgres/source-client.ts';
import type { SlotFacts, SourceFacts } from '../../../connectors/postgres/source-facts.ts';
import { configOf } from '../../support/contract-fixture.ts';
import { soundSource } from '../../support/sound-source.ts';

const slot: SlotFacts = { database: 'shop', plugin: 'pgoutput', active: true, wal_status: 'reserved' };

const codes = (facts: Partial<SourceFacts>): string[] =>
  sourceObstacles({ ...soundSource, ...facts }, configOf()).map(
    ({ severity, code }) => `${severity} ${code}`,
  );

test('a source that is fit has no obstacle, before and after its slot exists', () => {
  expect(codes({})).toEqual([]);
  expect(codes({ slot })).toEqual([]);
});

test.each<[string, Partial<SourceFacts>]>([
  ['an old server', { server_version: 140012 }],
  ['a standby', { in_recovery: true }],
  ['no logical WAL', { wal_level: 'replica' }],
  ['no replication right', { replication: false }],
  ['no right to create', { may_create: false }],
  ['no free slot', { used_slots: 10 }],
  ['no free WAL sender', { used_wal_senders: 10 }],
  ['a slot of another plugin', { slot: { ...slot, plugin: 'wal2json' } }],
  ['a slot of another database', { slot: { ...slot, database: 'other' } }],
])('%s is an obstacle', (_name, facts) => {
  expect(codes(facts)).toEqual(['error SOURCE_UNFIT']);
});

test('a superuser needs no replication right, an own slot no free one', () => {
  expect(codes({ superuser: true, replication: false })).toEqual([]);
  expect(codes({ slot, used_slots: 10, used_wal_senders: 10 })).toEqual([]);
});

test('a lost slot is told from one that is about to be lost', () => {
  expect(codes({ slot: { ...slot, wal_status: 'lost' } })).toEqual(['error SLOT_LOST']);
  expect(codes({ slot: { ...slot, invalidation_reason: 'idle_timeout' } })).toEqual(['error SLOT_LOST']);
  expect(codes({ slot: { ...slot, wal_status: 'unreserved' } })).toEqual(['warning SLOT_LOST']);
});

test("errors of the server are told by code, never by the driver's text", () => {
  const endpoint = { url: 'postgres://app:canary-pw@db.example:5433/shop', password: 'canary-pw' };
  const cause = (code?: string): Error =>
    Object.assign(new Error('canary-pw'), code === undefined ? {} : { code });
  const cases = [
    ['28P01', 'connect', 'AUTH_FAILED'],
    ['3D000', 'connect', 'CONFIG_INVALID'],
    ['ECONNREFUSED', 'connect', 'UNREACHABLE'],
    [undefined, 'connect', 'UNREACHABLE'],
    ['42501', 'query', 'SOURCE_UNFIT'],
    ['42P01', 'query', 'SERVER_FAILED'],
    ['57P01', 'query', 'UNREACHABLE'],
  ] as const;
  for (const [code, phase, expected] of cases) {
    const error = sourceError(endpoint, cause(code), phase);
    expect(error.code).toBe(expected);
    expect(`${error.message} ${error.fix} ${error.stack} ${String(error.cause)}`).not.toContain('canary');
  }
});
