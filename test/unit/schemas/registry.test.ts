import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { Registry } from '../../../schemas/registry.ts';

async function withRegistry(answer: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it('a registry that does not answer is away, and is asked anew', async () => {
  let answers = false;
  await withRegistry(
    (_, response) => {
      if (!answers) return;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ schema: '{"type":"record","name":"r","fields":[]}' }));
    },
    async (url) => {
      const registry = new Registry({ url }, 200);
      const away = { code: 'UNREACHABLE', message: expect.stringContaining('504') };
      await expect(registry.writerSchema(7)).rejects.toMatchObject(away);
      await expect(registry.writerSchema(7)).rejects.toMatchObject(away);
      answers = true;
      expect(await registry.writerSchema(7)).toMatchObject({ type: 'record', name: 'r' });
    },
  );
});
