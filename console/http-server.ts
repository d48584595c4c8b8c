import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LetheError, safeReason } from '../schemas/errors.ts';

/** Answers a request: a status and what becomes its JSON. `gone` aborts when the client has left. */
export type Endpoint = (query: URLSearchParams, gone: AbortSignal) => Promise<readonly [number, unknown]>;

export interface HttpServer {
  /** `http://127.0.0.1:8640` */
  readonly url: string;
  close(): Promise<void>;
}

/** Statuses of errors that are not the server's fault. */
const clientErrors = new Set(['CONFIG_INVALID']);

/** Serves JSON by path, GET alone. It answers with codes and names, never with a value of a row. */
export async function serveHttp(
  address: { readonly host: string; readonly port: number },
  endpoints: Readonly<Record<string, Endpoint>>,
): Promise<HttpServer> {
  const server = createServer((request, response) => void answer(request, response, endpoints));
  await listening(server, address);
  const { port } = server.address() as { port: number };
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new LetheError('CONFIG_INVALID', `cannot listen on ${host}:${port} (${cause.code ?? 'no code'})`, {
          fix: 'Give another address with --host and --port.',
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  endpoints: Readonly<Record<string, Endpoint>>,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const endpoint = Object.hasOwn(endpoints, url.pathname) ? endpoints[url.pathname] : undefined;
  if (!endpoint) return send(response, 404, { paths: Object.keys(endpoints) });
  if (request.method !== 'GET') return send(response, 405, { allowed: 'GET' });
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const [status, body] = await endpoint(url.searchParams, gone.signal);
    send(response, status, body);
  } catch (error) {
    if (error instanceof LetheError) {
      const { code, message, fix } = error;
      send(response, clientErrors.has(code) ? 400 : 503, { error: { code, message, fix } });
    } else send(response, 500, { error: { code: 'INTERNAL', message: safeReason(error) } });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
