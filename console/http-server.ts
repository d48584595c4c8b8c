import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LetheError, safeReason } from '../schemas/errors.ts';

/** A status and what becomes its JSON, or what is written already. */
export type Answer = readonly [status: number, body: unknown];

/** What goes out as it stands, to the byte. */
export class Written {
  readonly text: string;
  readonly type: string;

  constructor(text: string, type = 'application/json') {
    this.text = text;
    this.type = type;
  }
}

/** Answers a request: a status and what becomes its JSON. `gone` aborts when the client has left. */
export type Endpoint = (query: URLSearchParams, gone: AbortSignal) => Promise<Answer>;

/** What was posted: JSON, and the bearer token that came with it. */
export interface Posted {
  readonly body: unknown;
  readonly token?: string;
}

/** Answers what was posted, in the same way. */
export type PostEndpoint = (posted: Posted) => Promise<Answer>;

/** A method on paths of one form. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `:id` stands for one part of a path. */
  readonly path: string;
  /** `id`: what stands in the path for `:id`; the body of a GET is undefined, of a POST without one too. */
  readonly answer: (asked: Posted & { readonly id: string }) => Promise<Answer>;
}

export interface HttpServer {
  /** `http://127.0.0.1:8640` */
  readonly url: string;
  close(): Promise<void>;
}

/** Statuses of errors that are not the server's fault. */
const clientErrors: Readonly<Record<string, number>> = {
  CONFIG_INVALID: 400,
  ACCESS_REFUSED: 403,
  ERASURE_REFUSED: 409,
};
const mostPostedBytes = 256 * 1024;

/** Serves JSON by path: what is asked for by GET, what is posted by POST. It answers with codes and names, never with a value of a row. */
export async function serveHttp(
  address: { readonly host: string; readonly port: number },
  endpoints: Readonly<Record<string, Endpoint>>,
  posts: Readonly<Record<string, PostEndpoint>> = {},
  routes: readonly Route[] = [],
): Promise<HttpServer> {
  const server = createServer(
    (request, response) => void answer(request, response, endpoints, posts, routes),
  );
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
  routes: readonly Route[],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const endpoint = Object.hasOwn(endpoints, url.pathname) ? endpoints[url.pathname] : undefined;
  const post = Object.hasOwn(posts, url.pathname) ? posts[url.pathname] : undefined;
  const routed = routes.flatMap((route) => {
    const id = idIn(route.path, url.pathname);
    return id === undefined ? [] : [{ route, id }];
  });
  if (!endpoint && !post && routed.length === 0) {
    const paths = [...Object.keys(endpoints), ...Object.keys(posts), ...routes.map(({ path }) => path)];
    return send(response, 404, { paths: [...new Set(paths)] });
  }
  const methods = [
    ...(endpoint ? ['GET'] : []),
    ...(post ? ['POST'] : []),
    ...routed.map((r) => r.route.method),
  ];
  if (!methods.includes(request.method ?? ''))
    return send(response, 405, { allowed: methods.length === 1 ? methods[0] : methods });
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const [status, body] = await answerOf();
    send(response, status, body);
  } catch (error) {
    if (error instanceof LetheError) {
      const { code, message, fix } = error;
      send(response, clientErrors[code] ?? 503, { error: { code, message, fix } });
    } else send(response, 500, { error: { code: 'INTERNAL', message: safeReason(error) } });
  }

  async function answerOf(): Promise<Answer> {
    if (endpoint) return endpoint(url.searchParams, gone.signal);
    if (post) return post(await readPosted(request, 'needed'));
    const { route, id } = routed.find((one) => one.route.method === request.method)!;
    const posted = route.method === 'POST' ? await readPosted(request, 'optional') : asked(request);
    return route.answer({ ...posted, id });
  }
}

/** What stands for `:id`, '' where the form has none; undefined for a path of another form. */
function idIn(form: string, path: string): string | undefined {
  const [wanted, given] = [form.split('/'), path.split('/')];
  if (wanted.length !== given.length) return undefined;
  let id = '';
  for (const [i, part] of wanted.entries()) {
    if (part === ':id') id = given[i]!;
    else if (part !== given[i]) return undefined;
  }
  return wanted.includes(':id') && id === '' ? undefined : id;
}

function asked(request: IncomingMessage, body?: unknown): Posted {
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return token === undefined ? { body } : { body, token };
}

/** CONFIG_INVALID for what is too much, or no JSON; `optional`: nothing at all is undefined. */
async function readPosted(request: IncomingMessage, body: 'needed' | 'optional'): Promise<Posted> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > mostPostedBytes) throw notPosted();
    parts.push(part);
  }
  if (size === 0 && body === 'optional') return asked(request);
  try {
    return asked(request, JSON.parse(Buffer.concat(parts).toString('utf8')));
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
  const written = body instanceof Written ? body : new Written(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'content-type': written.type, 'cache-control': 'no-store' });
  response.end(written.text);
}
