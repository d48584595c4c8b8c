import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, serveHttp } from '../../../console/http-server.ts';
import { refused } from '../../../keys/access/access-error.ts';

describe('what is posted', () => {
  let server: HttpServer;
  beforeAll(async () => {
    server = await serveHttp(
      { host: '127.0.0.1', port: 0 },
      { '/read': async () => [200, {}] },
      {
        '/post': async (posted) => [200, posted],
        '/refuse': async () => {
          throw refused('grant', 'somebody');
        },
      },
    );
  });
  afterAll(() => server.close());
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(server.url + path, { method: 'POST', body, headers });
    return [response.status, await response.json()] as const;
  };

  it('comes with its bearer token', async () => {
    const authorization = 'Bearer abc.d-e_f';
    expect(await post('/post', '{"a":1}', { authorization })).toEqual([
      200,
      { body: { a: 1 }, token: 'abc.d-e_f' },
    ]);
    expect(await post('/post', '[]', { authorization: 'Basic abc' })).toEqual([200, { body: [] }]);
  });

  it('is refused when it is no JSON, or too much', async () => {
    expect(await post('/post', '{')).toMatchObject([400, { error: { code: 'CONFIG_INVALID' } }]);
    const much = JSON.stringify('x'.repeat(300_000));
    // The server may close before it has all of it.
    const outcome = await post('/post', much).catch(() => 'closed');
    if (outcome !== 'closed') expect(outcome).toMatchObject([400, { error: { code: 'CONFIG_INVALID' } }]);
    expect(await post('/post', '1')).toEqual([200, { body: 1 }]);
  });

  it('and what is read do not stand in for each other', async () => {
    expect((await fetch(`${server.url}/post`)).status).toBe(405);
    expect((await post('/read', '{}'))[0]).toBe(405);
    expect((await post('/none', '{}'))[0]).toBe(404);
  });

  it('says of who has no right neither who he is nor more than he may know', async () => {
    const [status, body] = await post('/refuse', '{}');
    expect(status).toBe(403);
    expect(body).toMatchObject({ error: { code: 'ACCESS_REFUSED' } });
    expect(JSON.stringify(body)).not.toContain('somebody');
  });
});
