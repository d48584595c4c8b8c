import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { HttpEndpoint } from '../schemas/config.ts';
import { VerifyError } from './verify-error.ts';

export type Endpoint = Pick<HttpEndpoint, 'url'> &
  Partial<Pick<HttpEndpoint, 'username' | 'password' | 'tls'>> & { readonly apiKey?: string | undefined };

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Path and query, joined to the endpoint's own path. */
  readonly path: string;
  /** JSON text, or plain text for ClickHouse. */
  readonly body?: string;
  readonly contentType?: string;
}

const timeoutMs = 120_000;

/** Sends a request; the answer's body is a stream, so that nothing large is held. Any status is given back. */
export function ask(endpoint: Endpoint, what: string, question: Ask): Promise<IncomingMessage> {
  const base = new URL(endpoint.url);
  const url = new URL(base.pathname.replace(/\/$/, '') + question.path, base);
  const send = url.protocol === 'https:' ? requestTls : requestPlain;
  const headers: Record<string, string> = {};
  const user = endpoint.username ?? decodeURIComponent(base.username);
  const password = endpoint.password ?? decodeURIComponent(base.password);
  if (endpoint.apiKey !== undefined) headers['authorization'] = `ApiKey ${endpoint.apiKey}`;
  else if (user) headers['authorization'] = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  // Said outright: Node sends a DELETE's body without any length.
  if ((question.method ?? 'GET') !== 'GET')
    headers['content-length'] = String(Buffer.byteLength(question.body ?? ''));
  if (question.body !== undefined) headers['content-type'] = question.contentType ?? 'application/json';
  const tls =
    typeof endpoint.tls === 'object'
      ? {
          ca: endpoint.tls.ca,
          cert: endpoint.tls.cert,
          key: endpoint.tls.key,
          rejectUnauthorized: endpoint.tls.verify,
        }
      : {};
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new VerifyError('SERVER_FAILED', `${what} does not answer`));
    const sent = send(
      { ...hostOf(url), path: url.pathname + url.search, method: question.method ?? 'GET', headers, ...tls },
      resolve,
    );
    sent.setTimeout(timeoutMs, () => sent.destroy());
    sent.on('error', failed);
    sent.end(question.body);
  });
}

/** As {@link ask}, for answers of moderate size; any status but 2xx is an error that names the status alone. */
export async function askText(endpoint: Endpoint, what: string, question: Ask): Promise<string> {
  const answer = await ask(endpoint, what, question);
  const text = (await readAll(answer)).toString('utf8');
  if (!isSuccess(answer)) throw refused(what, answer);
  return text;
}

/** As {@link askText}; undefined where there is no such thing, or none any more: it has nothing to tell. */
export async function askTextIfThere(
  endpoint: Endpoint,
  what: string,
  question: Ask,
): Promise<string | undefined> {
  const answer = await ask(endpoint, what, question);
  const text = (await readAll(answer)).toString('utf8');
  if (answer.statusCode === 404) return undefined;
  if (!isSuccess(answer)) throw refused(what, answer);
  return text;
}

export async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function isSuccess(answer: IncomingMessage): boolean {
  return answer.statusCode !== undefined && answer.statusCode >= 200 && answer.statusCode < 300;
}

export function refused(what: string, answer: IncomingMessage): VerifyError {
  return new VerifyError('SERVER_FAILED', `${what} answered with status ${answer.statusCode}`);
}

function hostOf(url: URL): { hostname: string; port?: string } {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return url.port ? { hostname, port: url.port } : { hostname };
}
