import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveHttp } from '../../console/http-server.ts';
import { authenticate } from '../../keys/access/authenticate.ts';
import { requestGlass } from '../../keys/access/glass-store.ts';
import { grantAccess } from '../../keys/access/grants.ts';
import { verifyJwt } from '../../keys/access/jwt.ts';
import { addPrincipal } from '../../keys/access/principals.ts';
import { leaseSubkeys } from '../../keys/leases.ts';

/** What is refused of tokens, principals, grants and leases before a server is asked; `folder` may be written in. */
export function accessFailures(canary: string, folder: string): readonly (() => unknown)[] {
  const nowhere = { keys: { url: 'postgres://127.0.0.1:9/none' } } as never;
  const jwt = (jwks: string, text: string) => () =>
    verifyJwt({ issuer: canary, audience: canary, jwks, roleClaim: canary }, text);
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encoded({ alg: 'RS256' })}.${encoded({ sub: canary, role: canary })}.c2ln`;
  const file = join(folder, 'jwks.json');
  writeFileSync(file, '{"keys": []}');
  const grant = { principal: canary, table: 'public.t', classification: 'c', why: canary };
  return [
    () => authenticate(nowhere, canary),
    () => authenticate(nowhere, `lethe_${randomUUID()}_${canary}`),
    jwt(join(folder, canary), text),
    jwt('http://127.0.0.1:9/jwks', text),
    jwt(file, text),
    jwt(file, canary),
    () => addPrincipal(nowhere, { name: canary, role: 'auditor', tokenMs: 1 }, 'me'),
    () => grantAccess(nowhere, { ...grant, table: canary }, 'me'),
    () => grantAccess(nowhere, { ...grant, classification: canary }, 'me'),
    () => grantAccess(nowhere, grant, canary),
    () => requestGlass(nowhere, { use: { kind: 'payload' }, reason: ' ' }, canary),
    () => requestGlass(nowhere, { use: { kind: 'decrypt', table: canary }, reason: canary }, canary),
    () =>
      leaseSubkeys(
        { config: nowhere, store: {} as never },
        { name: canary, role: 'consumer' },
        {
          table: canary,
          classification: canary,
          keys: [],
        },
      ),
    async () => {
      const server = await serveHttp({ host: '127.0.0.1', port: 0 }, {}, {});
      const { port } = new URL(server.url);
      try {
        await serveHttp({ host: '127.0.0.1', port: Number(port) }, {});
      } finally {
        await server.close();
      }
    },
  ];
}
