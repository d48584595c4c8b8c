import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LetheError, safeReason } from '../schemas/errors.ts';

/** Answers a request: a status and what becomes its JSON. `gone` aborts when the client has left. */
export type Endpoint = (query: URLSearchParams, gone: AbortSignal) => Promise<readonly [number, unknown]>;

/** What was posted: JSON, and the bearer token that came with it. */
export interface Posted {
  readonly body: unknown;
  readonly token?: string;
}

/** Answers what was posted, in the same way. */
export type PostEndpoint = (posted: Posted) => Promise<readonly [number, unknown]>;

export interface HttpServer {
  /** `http://127.0.0.1:8640` */
  readonly url: string;
  close(): Promise<void>;
}

/** Statuses of errors that are not the server's fault. */
const clientErrors: Readonly<Record<string, number>> = { CONFIG_INVALID: 400, ACCESS_REFUSED: 403 };
const mostPostedBytes = 256 * 1024;

/** Serves JSON by path: what is asked for by GET, what is posted by POST. It answers with codes and names, never with a value of a row. */
export async function serveHttp(
  address: { readonly host: string; readonly port: number },
  endpoints: Readonly<Record<string, Endpoint>>,
  posts: Readonly<Record<string, PostEndpoint>> = {},
): Promise<HttpServer> {
  const server = createServer((request, response) => void answer(request, response, endpoints, posts));
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
  posts: Readonly<Record<string, PostEndpoint>>,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const endpoint = Object.hasOwn(endpoints, url.pathname) ? endpoints[url.pathname] : undefined;
  const post = Object.hasOwn(posts, url.pathname) ? posts[url.pathname] : undefined;
  if (!endpoint && !post) {
    return send(response, 404, { paths: [...Object.keys(endpoints), ...Object.keys(posts)] });
  }
  const allowed = endpoint ? 'GET' : 'POST';
  if (request.method !== allowed) return send(response, 405, { allowed });
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const [status, body] = endpoint
      ? await endpoint(url.searchParams, gone.signal)
      : await post!(await readPosted(request));
    send(response, status, body);
  } catch (error) {
    if (error instanceof LetheError) {
      const { code, message, fix } = error;
      send(response, clientErrors[code] ?? 503, { error: { code, message, fix } });
    } else send(response, 500, { error: { code: 'INTERNAL', message: safeReason(error) } });
  }
}

/** CONFIG_INVALID for what is too much, or no JSON. */
async function readPosted(request: IncomingMessage): Promise<Posted> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostPostedBytes) throw notPosted();
    parts.push(part);
  }
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  try {
    const body: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return token === undefined ? { body } : { body, token };
  } catch {
    throw notPosted();
  }
}

function notPosted(): LetheError {
  return new LetheError('CONFIG_INVALID', 'what was posted is no JSON, or too much', {
    fix: `Send JSON of at most ${mostPostedBytes} bytes.`,
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
