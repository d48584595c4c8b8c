import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createElasticsearchClient } from '../../../sinks/elasticsearch/client.ts';
import { sendBulk } from '../../../sinks/elasticsearch/send.ts';

/** A proxy that takes smaller bodies than the store behind it, as nginx does by default; all it passes on succeeds. */
const limitBytes = 100;
const taken: string[] = [];
let proxy: Server;

beforeAll(async () => {
  proxy = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const documents = body.split('\n').filter(Boolean);
      const tooLarge = body.length > limitBytes;
      if (!tooLarge) taken.push(...documents);
      response.writeHead(tooLarge ? 413 : 200, {
        'content-type': tooLarge ? 'text/html' : 'application/json',
        'x-elastic-product': 'Elasticsearch',
      });
      const items = documents.map(() => ({ index: { status: 201 } }));
      response.end(tooLarge ? '<html>' : JSON.stringify({ items }));
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  proxy.close();
});

it('cuts a request that a proxy finds too large, and rejects only the document that is too large alone', async () => {
  const { port } = proxy.address() as AddressInfo;
  const client = createElasticsearchClient({ url: `http://127.0.0.1:${port}` });
  const documents = Array.from({ length: 9 }, (_, i) => `${String(i).repeat(i === 4 ? 150 : 30)}\n`);
  const verdicts = await sendBulk(client, 'alias', documents, 1_000_000);
  expect(verdicts.map(({ outcome }) => outcome)).toEqual(
    documents.map((_, i) => (i === 4 ? 'rejected' : 'written')),
  );
  expect(taken).toEqual(documents.filter((_, i) => i !== 4).map((line) => line.trim()));
  await client.close();
});
