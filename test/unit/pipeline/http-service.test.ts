import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpService } from '../../../pipeline/http-service.ts';

const canary = 'canary-body-41c';
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const status = Number(/\d+/.exec(request.url ?? '')?.[0]);
    const authorized = request.headers.authorization === `Basic ${Buffer.from('me:pw').toString('base64')}`;
    response.writeHead(status);
    response.end(
      status === 200 ? JSON.stringify({ authorized, path: request.url }) : `{"message":"${canary}"`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function errorOf(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(`${error?.message} ${error?.stack} ${JSON.stringify(error)}`).not.toContain(canary);
  return error as unknown as Record<string, unknown>;
}

test('an answer comes with its JSON, credentials go along, a path of the address is kept', async () => {
  const service = new HttpService('the registry', { url: `${url}/proxy/`, username: 'me', password: 'pw' });
  expect(await service.expect('GET', '/200')).toEqual({ authorized: true, path: '/proxy/200' });
});

test.each([401, 403])('%i is a refusal of the credentials', async (status) => {
  const error = await errorOf(new HttpService('Kafka Connect', { url }).request('GET', `/${status}`));
  expect(error).toMatchObject({ code: 'AUTH_FAILED' });
});

test('an answer that was not expected is told by its status, never by its body', async () => {
  const service = new HttpService('Kafka Connect', { url });
  expect(await service.request('GET', '/500')).toEqual({ status: 500, body: undefined });
  const error = await errorOf(service.expect('POST', '/500', { password: canary }));
  expect(error).toMatchObject({
    code: 'SERVER_FAILED',
    message: expect.stringContaining('answers 500 to POST /500'),
  });
});

test('no answer is told with the address and the reason', async () => {
  const error = await errorOf(
    new HttpService('Kafka Connect', { url: 'http://127.0.0.1:9' }).request('GET', '/'),
  );
  expect(error).toMatchObject({
    code: 'UNREACHABLE',
    message: 'Kafka Connect at 127.0.0.1:9 does not answer (ECONNREFUSED)',
  });
});
