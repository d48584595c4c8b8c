import type { HttpEndpoint } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';

/** Options as Node's `tls.connect` takes them. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/** A store's address, taken apart so that credentials and address never travel in one text. */
export interface Endpoint {
  /** `https://host:port`, without credentials and path. */
  readonly origin: string;
  /** Path of a proxy in front of the store, without the last slash; empty for none. */
  readonly path: string;
  /** `host:port`, for messages. */
  readonly address: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
}

/**
 * Takes a section of `lethe.yaml` apart. Refuses what would be ignored in silence: TLS options on a plain
 * address would send rows in the clear, and parameters in the address would change the store's settings.
 */
export function resolveEndpoint(section: string, endpoint: HttpEndpoint): Endpoint {
  const url = new URL(endpoint.url);
  const secure = url.protocol === 'https:';
  if (url.search || url.hash) {
    throw invalid(section, 'url', 'holds parameters', 'Leave out everything from ? or # on.');
  }
  if (endpoint.tls && !secure) {
    throw invalid(section, 'tls', 'is set, but the url is http', 'Write https:// or take tls out.');
  }
  const username = endpoint.username ?? (url.username ? decodeURIComponent(url.username) : undefined);
  const password = endpoint.password ?? (url.password ? decodeURIComponent(url.password) : undefined);
  return {
    origin: url.origin,
    path: url.pathname.replace(/\/+$/, ''),
    address: `${url.hostname}:${url.port || (secure ? '443' : '80')}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(secure ? { tls: tlsOptions(endpoint.tls) } : {}),
  };
}

function tlsOptions(tls: HttpEndpoint['tls']): TlsOptions {
  if (typeof tls !== 'object') return { rejectUnauthorized: true };
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    rejectUnauthorized: tls.verify,
  };
}

function invalid(section: string, field: string, reason: string, fix: string): LetheError {
  return new LetheError('CONFIG_INVALID', `lethe.yaml: ${section}.${field} ${reason}.`, { fix });
}
