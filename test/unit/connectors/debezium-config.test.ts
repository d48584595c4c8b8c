import { expect, test } from 'vitest';
import { debeziumConfig } from '../../../connectors/debezium-config.ts';
import { deriveDataset } from '../../../schemas/dataset.ts';
import { columnOf, configOf, contractOf, tableOf } from '../../support/contract-fixture.ts';

const contract = contractOf(`table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: owner }
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
  ssn: { classification: person.national-id, action: drop }
  note: { classification: content.free-text, action: 'null' }
  owner: { classification: person.id, action: drop }
`).contract;
const table = tableOf({
  columns: ['id', 'email', 'ssn', 'note', 'owner', 'extra'].map((name) => columnOf(name, 'int4')),
});
const dataset = deriveDataset(contract, table);

/** Debezium compiles each pattern to ignore case and matches the whole name. */
function matches(list: string, name: string): boolean {
  return list.split(',').some((pattern) => {
    const [, inner] = /^\(\?-i:(.*)\)$/.exec(pattern) ?? [];
    if (inner === undefined) return new RegExp(`^(?:${pattern})$`, 'i').test(name);
    return new RegExp(`^(?:${inner})$`).test(name);
  });
}

test('exactly the published columns are captured, with their case', () => {
  const list = debeziumConfig(configOf(), [dataset])['column.include.list']!;
  const captured = table.columns.filter(({ name }) => matches(list, `public.customers.${name}`));
  expect(captured.map(({ name }) => name)).toEqual(['id', 'email', 'owner']);
  expect(captured.map(({ name }) => name)).toEqual(dataset.published);
  expect(matches(list, 'public.customers.EMAIL')).toBe(false);
  expect(matches(list, 'publicXcustomers.email')).toBe(false);
  expect(matches(list, 'public.customers.email2')).toBe(false);
});

test('exactly the tables of the contracts and the heartbeat are captured', () => {
  const list = debeziumConfig(configOf(), [dataset])['table.include.list']!;
  expect(matches(list, 'public.customers')).toBe(true);
  expect(matches(list, 'lethe.heartbeat_shop')).toBe(true);
  for (const other of ['public.Customers', 'public.customers2', 'xpublic.customers', 'lethe.signal_shop']) {
    expect(matches(list, other)).toBe(false);
  }
});

test('no logical message passes, whatever its prefix', () => {
  expect(debeziumConfig(configOf(), [dataset])['message.prefix.exclude.list']).toBe('(?s:.*)');
});

test('it fails rather than passes on less', () => {
  expect(debeziumConfig(configOf(), [dataset])).toMatchObject({
    'errors.tolerance': 'none',
    'event.converting.failure.handling.mode': 'fail',
    'offset.mismatch.strategy': 'trust_offset',
    'exactly.once.support': 'required',
    'publication.autocreate.mode': 'disabled',
    'slot.drop.on.stop': 'false',
    'skipped.operations': 'none',
  });
});

test('addresses as the Connect workers see them, where they differ', () => {
  const connect = {
    url: 'http://c.example',
    postgresHost: 'pg',
    postgresPort: 5432,
    registryUrl: 'http://r:8080/apis/ccompat/v7',
  };
  expect(debeziumConfig(configOf({ connect }), [dataset])).toMatchObject({
    'database.hostname': 'pg',
    'database.port': '5432',
    'value.converter.apicurio.registry.url': 'http://r:8080/apis/registry/v2',
    'key.converter.apicurio.registry.url': 'http://r:8080/apis/registry/v2',
  });
  expect(debeziumConfig(configOf(), [dataset])).toMatchObject({
    'database.hostname': 'db.example',
    'database.port': '5433',
    'database.password': 'secret-of-postgres',
    'database.dbname': 'shop',
  });
});

test("a reference to Connect's config provider stands in the place of the password", () => {
  const connect = { url: 'http://c.example', postgresPassword: '${file:/secrets/pg:password}' };
  const derived = debeziumConfig(configOf({ connect }), [dataset]);
  expect(derived['database.password']).toBe('${file:/secrets/pg:password}');
  expect(JSON.stringify(derived)).not.toContain('secret-of-postgres');
});

test("a registry that is not Apicurio gets Confluent's converter", () => {
  const registry = { url: 'http://registry.example:8081', username: 'me', password: 'pw' };
  expect(debeziumConfig(configOf({ registry }), [dataset])).toMatchObject({
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': 'http://registry.example:8081',
    'value.converter.basic.auth.user.info': 'me:pw',
  });
});

test.each([
  [true, { 'database.sslmode': 'verify-full' }],
  [{ verify: false }, { 'database.sslmode': 'require' }],
  [{ ca: 'PEM' }, { 'database.sslmode': 'verify-full', 'driver.sslfactoryarg': 'PEM' }],
])('TLS of the source %j', (tls, expected) => {
  const postgres = { url: 'postgres://app@db.example/shop', tls };
  expect(debeziumConfig(configOf({ postgres }), [dataset])).toMatchObject(expected);
});

test('the consumer of signals logs in as the brokers ask', () => {
  const sasl = { mechanism: 'scram-sha-512', username: 'me', password: 'p"w\\' };
  const derived = debeziumConfig(configOf({ kafka: { brokers: ['a:1'], tls: { ca: 'PEM' }, sasl } }), [
    dataset,
  ]);
  expect(derived).toMatchObject({
    'signal.consumer.security.protocol': 'SASL_SSL',
    'signal.consumer.sasl.mechanism': 'SCRAM-SHA-512',
    'signal.consumer.ssl.truststore.certificates': 'PEM',
    'signal.consumer.sasl.jaas.config':
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="me" password="p\\"w\\\\";',
  });
});
