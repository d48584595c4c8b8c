import { expect, test } from 'vitest';
import { recordMaxBytes, topicSpecs } from '../../../connectors/kafka/topic-settings.ts';
import { configOf } from '../../support/contract-fixture.ts';

const config = configOf({ topics: { prefix: 'eu.', partitions: 3, replicationFactor: 2 } });
const specs = new Map(topicSpecs(config, [{ table: 'public.orders' }]).map((spec) => [spec.topic, spec]));

test('every topic that the connector or a processor writes to is there beforehand', () => {
  expect([...specs.keys()]).toEqual([
    'eu.raw.public.orders',
    'eu.clean.public.orders',
    'eu.deadletter.public.orders',
    'eu.signals.shop',
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
