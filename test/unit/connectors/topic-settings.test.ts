import { expect, test } from 'vitest';
import { recordMaxBytes, topicSpecs } from '../../../connectors/kafka/topic-settings.ts';
import { contractOf, configOf } from '../../support/contract-fixture.ts';

const config = configOf({ topics: { prefix: 'eu.', partitions: 3, replicationFactor: 2 } });
const { contract } = contractOf(
  'table: public.orders\nowner: o\ntier: 1\nsinks: []\nstaleness: 1s\ncolumns: {}\n',
);
const specsOf = (dataset: Parameters<typeof topicSpecs>[1][number]) =>
  new Map(topicSpecs(config, [dataset]).map((spec) => [spec.topic, spec]));
const specs = specsOf({ table: 'public.orders', contract, facts: [] });

test('every topic that the connector or a processor writes to is there beforehand', () => {
  expect([...specs.keys()]).toEqual([
    'eu.raw.public.orders',
    'eu.clean.public.orders',
    'eu.deadletter.public.orders',
    'eu.signals.shop',
    'eu.anchors.shop',
    'eu.ledger.shop',
    'eu.raw.lethe.heartbeat_shop',
    'eu.raw.lethe.signal_shop',
    '__debezium-heartbeat.eu.raw',
  ]);
});

test('raw and clean share their partitions, signals have one', () => {
  expect(specs.get('eu.raw.public.orders')?.partitions).toBe(3);
  expect(specs.get('eu.clean.public.orders')?.partitions).toBe(3);
  expect(specs.get('eu.signals.shop')?.partitions).toBe(1);
  expect([...specs.values()].every((spec) => spec.replicationFactor === 2)).toBe(true);
});

test('the raw topic never expires what is not consumed, the clean one is compacted', () => {
  expect(specs.get('eu.raw.public.orders')?.settings).toMatchObject({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
  });
  expect(specs.get('eu.clean.public.orders')?.settings['cleanup.policy']).toBe('compact');
});

test('what fits into the raw topic fits into the others, and into a segment', () => {
  for (const spec of specs.values()) {
    const max = spec.settings['max.message.bytes'];
    if (max === undefined) continue;
    expect(Number(max)).toBeGreaterThanOrEqual(recordMaxBytes);
    expect(Number(spec.settings['segment.bytes'])).toBeGreaterThanOrEqual(Number(max));
  }
});

test('a table with a path has a topic for rows in waiting, one that is looked up a topic for that: both compacted', () => {
  const path: [string, string] = ['customer_id', 'public.customers.vip'];
  const following = { ...contract, consent: { purpose: 'ads', path, granted: [true] } };
  const facts = [{ name: 'customer_id', kind: 'int' } as const];
  const both = specsOf({ table: 'public.orders', contract: following, facts });
  for (const topic of ['eu.lookup.public.orders', 'eu.parked.public.orders']) {
    expect(both.get(topic)).toMatchObject({ partitions: 3, settings: { 'cleanup.policy': 'compact' } });
  }
});

test('a topic of notices is there where somebody is to be told: compacted, and gone in the end', () => {
  const recipients = [{ name: 'billing', tables: ['public.orders'] }];
  const told = topicSpecs(configOf({ erasure: { recipients } }), [
    { table: 'public.orders', contract, facts: [] },
  ]).find(({ topic }) => topic === 'notices.shop');
  expect(told).toMatchObject({
    partitions: 1,
    settings: { 'cleanup.policy': 'compact,delete', 'retention.ms': String(90 * 86_400_000) },
  });
});
