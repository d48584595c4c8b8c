import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Door } from '../../../console/door.ts';
import {
  erasureRoutes,
  type PostedAcknowledgement,
  type PostedErasure,
} from '../../../console/erasure-endpoints.ts';
import { type HttpServer, serveHttp } from '../../../console/http-server.ts';
import { refused } from '../../../keys/access/access-error.ts';
import { may, type Permission, type Role } from '../../../keys/access/permissions.ts';
import { LetheError } from '../../../schemas/errors.ts';

/** A token is a role's name: who they are is another test's matter. */
const door: Pick<Door, 'permit' | 'note'> = {
  async permit(token, permission: Permission, work) {
    if (token === undefined) return [401, { error: 'no token' }];
    if (!may(token as Role, permission)) throw refused('role', token);
    return work({ name: token, role: token as Role });
  },
  note: async () => {},
};

describe('requests of erasures over HTTP', () => {
  let server: HttpServer;
  const filed: (PostedErasure & { readonly by: string })[] = [];
  const acknowledged: (PostedAcknowledgement & { readonly by: string })[] = [];
  beforeEach(() => void (filed.length = acknowledged.length = 0));
  beforeAll(async () => {
    const known = { request: 'r-1', state: 'open' };
    const routes = erasureRoutes(
      {
        subjectTypes: ['customer'],
        async file(request, by) {
          filed.push({ ...request, by });
          return known;
        },
        list: async () => [known],
        find: async (id) => (id === 'r-1' ? known : undefined),
        approve: async (id, { name }) => {
          if (name === 'compliance') return { request: id, by: name };
          throw refused('own-request', name);
        },
        async acknowledge(id, posted, { name }) {
          if (posted.recipient !== 'billing') throw refused('recipient', name);
          acknowledged.push({ ...posted, by: name });
          return { request: id, recipient: 'billing' };
        },
        cancel: async (id) => {
          if (id === 'r-1') throw new LetheError('ERASURE_REFUSED', 'the key is destroyed');
          return known;
        },
        certificate: async (id) => (id === 'r-1' ? '{"b":1, "a":2}\n' : undefined),
      },
      door as Door,
    );
    server = await serveHttp({ host: '127.0.0.1', port: 0 }, {}, {}, routes);
  });
  afterAll(() => server.close());

  const call = async (method: string, path: string, token?: string, body?: unknown) => {
    const response = await fetch(server.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    return { status: response.status, text: await response.text() };
  };
  const good = { subject: { type: 'customer', id: ' 42' }, reason: 'Art. 17' };

  it('are filed as they are posted, by whoever shows the token', async () => {
    const { status, text } = await call('POST', '/v1/erasures', 'compliance', {
      ...good,
      receivedAt: '2026-01-31T09:30:00+01:00',
    });
    expect([status, JSON.parse(text)]).toEqual([202, { request: 'r-1', state: 'open' }]);
    expect(filed).toEqual([{ ...good, receivedAt: new Date('2026-01-31T08:30:00Z'), by: 'compliance' }]);
  });

  const canary = 'jane.roe@example.com';
  it.each([
    ['', { ...good, [canary]: 1 }],
    ['', canary],
    [' at subject', { reason: canary }],
    [' at subject.type', { ...good, subject: { type: canary, id: '1' } }],
    [' at subject.id', { ...good, subject: { type: 'customer', id: '' } }],
    [' at reason', { ...good, reason: '  ' }],
    [' at requestId', { ...good, requestId: canary }],
    [' at receivedAt', { ...good, receivedAt: canary }],
    [' at receivedAt', { ...good, receivedAt: '9999-01-01T00:00:00Z' }],
    [' at identity', { ...good, identity: canary.repeat(100) }],
  ])('are refused with the field%s that is wrong, and no value', async (place, body) => {
    const { status, text } = await call('POST', '/v1/erasures', 'compliance', body);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      error: { code: 'CONFIG_INVALID', message: `the request is none${place}` },
    });
    expect(text).not.toContain(canary);
    expect(filed).toEqual([]);
  });

  it('are read, and their certificates come to the byte', async () => {
    expect((await call('GET', '/v1/erasures', 'auditor')).text).toBe(
      '{"requests":[{"request":"r-1","state":"open"}]}\n',
    );
    expect((await call('GET', '/v1/erasures/r-1', 'engineer')).status).toBe(200);
    const certificate = await call('GET', '/v1/erasures/r-1/certificate', 'auditor');
    expect(certificate).toEqual({ status: 200, text: '{"b":1, "a":2}\n' });
  });

  it('that are not there are not there, whatever stands in the path', async () => {
    for (const id of ['r-2', encodeURIComponent(canary), '%2e%2e']) {
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/certificate'],
        ['POST', '/cancel'],
        ['POST', '/approve'],
      ] as const) {
        const { status, text } = await call(method, `/v1/erasures/${id}${path}`, 'compliance');
        expect([id, path, status]).toEqual([id, path, 404]);
        expect(text).not.toContain('jane');
      }
    }
  });

  it('are taken back, unless it is too late', async () => {
    expect(await call('POST', '/v1/erasures/r-1/cancel', 'compliance')).toMatchObject({ status: 409 });
  });

  it('are approved by whose role may, and by nobody else', async () => {
    expect(await call('POST', '/v1/erasures/r-1/approve', 'compliance')).toEqual({
      status: 200,
      text: '{"request":"r-1","by":"compliance"}\n',
    });
    for (const role of ['engineer', 'auditor', 'consumer'])
      expect((await call('POST', '/v1/erasures/r-1/approve', role)).status).toBe(403);
    expect((await call('POST', '/v1/erasures/r-1/approve')).status).toBe(401);
  });

  it('are acknowledged by a recipient, with the field that is wrong told, and no value', async () => {
    const path = '/v1/erasures/r-1/acknowledge';
    const body = { recipient: 'billing', reference: 'ticket 4711' };
    expect((await call('POST', path, 'consumer', body)).status).toBe(200);
    expect(acknowledged).toEqual([{ ...body, by: 'consumer' }]);
    for (const [place, wrong] of [
      ['', undefined],
      ['', { ...body, [canary]: 1 }],
      [' at recipient', { recipient: canary.repeat(10) }],
      [' at reference', { ...body, reference: canary.repeat(100) }],
    ] as const) {
      const { status, text } = await call('POST', path, 'consumer', wrong);
      expect(status).toBe(400);
      expect(JSON.parse(text)).toMatchObject({
        error: { message: `the acknowledgement is none${place}` },
      });
      expect(text).not.toContain(canary);
    }
    expect((await call('POST', path, 'consumer', { recipient: 'printer' })).status).toBe(403);
    for (const role of ['engineer', 'auditor'])
      expect((await call('POST', path, role, body)).status).toBe(403);
    expect((await call('POST', path, undefined, body)).status).toBe(401);
    expect(
      (await call('POST', `/v1/erasures/${encodeURIComponent(canary)}/acknowledge`, 'consumer', body)).status,
    ).toBe(404);
    expect(acknowledged).toHaveLength(1);
  });

  it('are nobody’s without a token, and nobody’s without the right', async () => {
    expect((await call('POST', '/v1/erasures', undefined, good)).status).toBe(401);
    for (const role of ['engineer', 'auditor', 'consumer']) {
      expect((await call('POST', '/v1/erasures', role, good)).status).toBe(403);
      expect((await call('POST', '/v1/erasures/r-1/cancel', role)).status).toBe(403);
    }
    for (const path of ['', '/r-1', '/r-1/certificate'])
      expect((await call('GET', `/v1/erasures${path}`, 'consumer')).status).toBe(403);
    expect(filed).toEqual([]);
    expect((await call('DELETE', '/v1/erasures', 'compliance')).status).toBe(405);
  });
});
