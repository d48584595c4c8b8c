import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { LetheError } from '../schemas/errors.ts';
import type { HttpEndpoint } from '../schemas/config.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Parsed JSON; undefined for an empty body or one that is not JSON. */
  readonly body: unknown;
}

const timeoutMs = 30_000;
const answerMaxBytes = 32 * 1024 * 1024;

/** A JSON service of lethe.yaml. Its errors tell address and status, never a body: servers quote what they got. */
export class HttpService {
  readonly #name: string;
  readonly #url: URL;
  readonly #options: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;

  /** `name` is what errors call it, for example `Kafka Connect`; `headers` go with every request. */
  constructor(name: string, endpoint: HttpEndpoint, headers: Readonly<Record<string, string>> = {}) {
    this.#name = name;
    this.#headers = headers;
    this.#url = new URL(endpoint.url);
    const { username, password, tls } = endpoint;
    this.#options = {
      timeout: timeoutMs,
      ...(username === undefined ? {} : { auth: `${username}:${password ?? ''}` }),
      ...(typeof tls === 'object'
        ? {
            rejectUnauthorized: tls.verify,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          }
        : {}),
    };
  }

  /** An answer of any status but 401 and 403, which are AUTH_FAILED; no answer is UNREACHABLE. */
  async request(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    const answer = await this.#send(method, path, body).catch((cause: unknown) => {
      const { code } = cause as NodeJS.ErrnoException;
      throw new LetheError('UNREACHABLE', `${this.#where} does not answer${code ? ` (${code})` : ''}`, {
        fix: 'Start it, or correct its url and tls in lethe.yaml.',
      });
    });
    if (answer.status === 401 || answer.status === 403) {
      throw new LetheError('AUTH_FAILED', `${this.#where} refuses the credentials (${answer.status})`);
    }
    return answer;
  }

  /** The body of an answer that must be a success. */
  async expect(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.request(method, path, body);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw this.failed(answer, `${method} ${path}`);
  }

  /** The error for an answer that was not expected. */
  failed(answer: HttpAnswer, what: string): LetheError {
    return new LetheError('SERVER_FAILED', `${this.#where} answers ${answer.status} to ${what}`, {
      fix: `Look at the log of ${this.#name}.`,
    });
  }

  get #where(): string {
    return `${this.#name} at ${this.#url.host}`;
  }

  #send(method: string, path: string, body: unknown): Promise<HttpAnswer> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const url = new URL(this.#url.href.replace(/\/$/, '') + path);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      ...this.#headers,
      accept: 'application/json',
      ...(payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {}),
    };
    return new Promise((resolve, reject) => {
      const request = send(url, { ...this.#options, method, headers }, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerMaxBytes) request.destroy(new Error('answer too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: parseJson(Buffer.concat(chunks)) });
        });
      });
      request.on('timeout', () =>
        request.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })),
      );
      request.on('error', reject);
      request.end(payload);
    });
  }
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
