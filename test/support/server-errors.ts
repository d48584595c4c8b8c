import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickHouseError } from '@clickhouse/client';
import { errors } from '@elastic/elasticsearch';
import { ConnectClient } from '../../connectors/connect/connect-client.ts';
import { connectorResources } from '../../connectors/connect/connector-resource.ts';
import { debeziumConfig, scrubClass } from '../../connectors/debezium-config.ts';
import { HttpService } from '../../pipeline/http-service.ts';
import { adminConnection } from '../../connectors/kafka/admin.ts';
import { sourceError } from '../../connectors/postgres/source-client.ts';
import { cleanSubjectResources } from '../../connectors/registry/clean-subjects.ts';
import { keyStoreError } from '../../keys/key-store-error.ts';
import { kafkaError } from '../../pipeline/kafka.ts';
import { Registry } from '../../schemas/registry.ts';
import * as clickhouse from '../../sinks/clickhouse/errors.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import * as elasticsearch from '../../sinks/elasticsearch/errors.ts';
import { sendBulk } from '../../sinks/elasticsearch/send.ts';
import { RawRows } from '../../connectors/preview/raw-rows.ts';
import { rawValue } from '../../connectors/preview/source-value.ts';
import { columnOf, configOf } from './contract-fixture.ts';
import { testDataset } from './raw-events.ts';
import { rule } from './transform-errors.ts';

type Answer = readonly [status: number, body: unknown];

/** Lends a server that answers as told, and that quotes the canary wherever a body has room for it. */
export async function answering(
  answer: (request: IncomingMessage) => Answer,
  use: (url: string) => Promise<unknown>,
): Promise<void> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const [status, body] = answer(request);
      response.writeHead(status, {
        'content-type': 'application/json',
        'x-elastic-product': 'Elasticsearch',
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Errors of drivers, each with the canary in whatever part of it a server or a driver writes freely. */
export function driverErrors(canary: string): readonly (() => unknown)[] {
  const text = `failed at ${canary}`;
  const answered = (statusCode: number, type: string) =>
    new errors.ResponseError({
      statusCode,
      body: { error: { type, reason: text, caused_by: { reason: text } } },
      headers: { 'x-found': canary },
      warnings: [text],
      meta: { body: text } as never,
    });
  const refused = (code: string, type: string) => new ClickHouseError({ message: text, code, type });
  const postgres = (code?: string) =>
    Object.assign(new Error(text), { code, detail: `Key (mail)=(${canary})`, where: text, hint: text });
  const endpoint = { url: 'postgres://app:pw@db.example/shop', password: canary };
  return [
    ...[
      answered(401, 'security_exception'),
      answered(403, 'security_exception'),
      answered(400, 'illegal_argument_exception'),
      answered(500, canary),
      new errors.ProductNotSupportedError('x'),
      new errors.DeserializationError(text, canary),
      new errors.ConnectionError(text),
      new Error(text, { cause: new Error(text) }),
    ].map((error) => () => elasticsearch.toLetheError(error, 'write')),
    ...[
      refused('497', 'ACCESS_DENIED'),
      refused('516', 'AUTHENTICATION_FAILED'),
      refused('60', 'UNKNOWN_TABLE'),
      refused('241', 'MEMORY_LIMIT_EXCEEDED'),
      Object.assign(new Error(text), { code: canary }),
    ].map((error) => () => clickhouse.toLetheError(error, 'write')),
    ...['28P01', '3D000', '42501', '55P03', '22P02', undefined].flatMap((code) => [
      () => sourceError(endpoint, postgres(code), 'query'),
      () => sourceError(endpoint, postgres(code), 'connect'),
      () => keyStoreError(postgres(code)),
    ]),
    ...['MESSAGE_TOO_LARGE', 'TOPIC_AUTHORIZATION_FAILED', 'NOT_LEADER', undefined].map(
      (type) => () => kafkaError(Object.assign(new Error(text, { cause: new Error(text) }), { type })),
    ),
  ];
}

/** Servers that refuse, fail or talk nonsense, and quote what they got. */
export function serverCases(canary: string): Readonly<Record<string, () => Promise<unknown>>> {
  const dataset = testDataset([{ name: 'id', typeName: 'text', nullable: false, rule: rule('hash') }]);
  const always = (status: number, body: unknown, use: (url: string) => Promise<unknown>) =>
    answering(() => [status, body], use);
  const bulk = (status: number, body: unknown) =>
    always(status, body, async (url) => {
      const client = createElasticsearchClient({ url });
      const documents = [`{"index":{"_id":"${canary}"}}\n{"a":"${canary}"}\n`];
      try {
        await sendBulk(client, 'alias', documents, 1_000_000);
      } finally {
        await client.close();
      }
    });
  const item = (status: number, type: string) => ({
    items: [{ index: { status, error: { type, reason: canary } } }],
  });
  const service = (status: number) =>
    always(status, { message: canary }, (url) =>
      new HttpService('a server', { url, username: 'me', password: canary }).expect('PUT', '/x', { canary }),
    );
  const registry = (status: number, body: unknown) =>
    always(status, body, (url) => new Registry({ url, username: 'me', password: canary }).writerSchema(7));
  const connector = (status: number) =>
    answering(
      ({ method, url = '' }): Answer => {
        const wanted = debeziumConfig(configOf(), [dataset]);
        if (url.startsWith('/connector-plugins?')) {
          const classes = [wanted['connector.class'], wanted['value.converter'], scrubClass];
          return [200, classes.map((name) => ({ class: name }))];
        }
        if (url.endsWith('/validate')) {
          return [
            200,
            { configs: [{ value: { name: 'database.password', value: canary, errors: [canary] } }] },
          ];
        }
        const trace = `org.apache.kafka.connect.errors.ConnectException: ${canary}\nCaused by: java.lang.X: ${canary}`;
        if (url.endsWith('/status')) return [200, { connector: { state: 'FAILED', trace }, tasks: [] }];
        return method === 'PUT' ? [status, { message: canary }] : [404, { message: canary }];
      },
      async (url) => {
        const config = configOf({ connect: { url } });
        await connectorResources(config, [dataset], new ConnectClient(config.connect), {
          source: '1/1',
          newestEpoch: async () => 0,
        })[0]!.apply([]);
      },
    );
  const subjects = (status: number) =>
    answering(
      ({ url = '' }): Answer => [url.endsWith('/versions') ? status : 404, { message: canary }],
      async (url) => {
        const service = new HttpService('the registry', { url });
        await cleanSubjectResources(configOf(), [dataset], service, { rebuild: false })[0]!.apply([]);
      },
    );
  const closed = { url: 'http://127.0.0.1:1' };
  return {
    'a preview without a schema': async () => new RawRows([columnOf('id', 'int4')], ['id']).writerSchema(99),
    'a preview of an array in an array': async () => rawValue(columnOf('tags', '_text'), `[["${canary}"]]`),
    'a bulk answer without items': () => bulk(200, {}),
    'a document that the user may not write': () => bulk(200, item(403, 'security_exception')),
    'a document of an unknown field': () => bulk(200, item(400, 'strict_dynamic_mapping_exception')),
    'no index': () => bulk(404, { error: { type: 'index_not_found_exception', reason: canary } }),
    'an answer that is no JSON': () => bulk(200, `${canary}{`),
    'a service that refuses credentials': () => service(401),
    'a service that fails': () => service(500),
    'no service': () => new HttpService('a server', closed).request('PUT', '/x', { canary }),
    'a schema that is unknown': () => registry(404, { error_code: 40403, message: canary }),
    'a registry that refuses credentials': () => registry(401, { error_code: 401, message: canary }),
    'a registry that fails': () => registry(500, { error_code: 500, message: canary }),
    'a schema that is none': () => registry(200, { schema: `{"type":"${canary}"}` }),
    'no registry': () => new Registry(closed).writerSchema(7),
    'a connector whose settings are refused': () => connector(400),
    'a connector that fails': () => connector(201),
    'a clean schema that is refused': () => subjects(409),
    'a clean schema that fails': () => subjects(500),
    'no broker': () =>
      adminConnection({ name: 'x', kafka: { ...configOf().kafka, brokers: ['127.0.0.1:1'] } }).withAdmin(
        async () => undefined,
      ),
  };
}
