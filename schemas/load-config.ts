import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Config, configShape } from './config.ts';
import { type Finding, sortFindings } from './finding.ts';
import { fillSecrets } from './secrets.ts';
import { parseShape } from './shape-findings.ts';
import { fieldOf, parseSource, type SourceDocument } from './source-document.ts';

export interface LoadedConfig {
  /** Undefined if there are findings. */
  readonly config?: Config;
  /** The folder of the contracts, as a person would name it from here; undefined with the config. */
  readonly contractsFolder?: string;
  /** The file of the house rules, named likewise; undefined if lethe.yaml names none. */
  readonly rulesFile?: string;
  readonly document?: SourceDocument;
  readonly findings: readonly Finding[];
}

/** What stands in the connector's configuration is filled in by Connect, not by us. */
const literal: ReadonlySet<string> = new Set(['connect.postgresPassword']);

/**
 * Reads lethe.yaml: secrets filled in, every finding with its place. In what comes back no URL holds a password:
 * wherever it stood in the file, it stands in the field beside the URL.
 */
export async function loadConfig(
  path: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { findings: [unreadable(path, reason)] };
  }
  const { document, findings } = parseSource(path, text);
  if (!document) return { findings };
  const folder = dirname(resolve(path));
  const filled = await fillSecrets(document.value, { folder, env, literal });
  const secretFindings: Finding[] = filled.failures.map((failure) => ({
    severity: 'error',
    code: 'SECRET_MISSING',
    file: path,
    ...document.valueAt(failure.path),
    field: fieldOf(failure.path),
    message: failure.message,
    fix: failure.fix,
  }));
  const parsed = parseShape(configShape, document, filled.value);
  const secretFields = new Set(secretFindings.map((finding) => finding.field));
  const all = [...secretFindings, ...parsed.findings.filter((finding) => !secretFields.has(finding.field))];
  if (!parsed.value || all.length > 0) return { document, findings: sortFindings(all) };
  const urls = urlFindings(parsed.value, document);
  if (urls.length > 0) return { document, findings: urls };
  return {
    config: withPaths(normalise(parsed.value), folder),
    contractsFolder: besides(path, parsed.value.contracts),
    ...(parsed.value.rules === undefined ? {} : { rulesFile: besides(path, parsed.value.rules) }),
    document,
    findings: [],
  };
}

/** What this machine keeps, by its whole path. */
function withPaths(config: Config, folder: string): Config {
  const { access, keys } = config;
  const { master } = keys;
  return {
    ...config,
    state: resolve(folder, config.state),
    keys: {
      ...config.keys,
      master: master.kind === 'local' ? { ...master, file: resolve(folder, master.file) } : master,
    },
    ...(access ? { access: { ...access, jwks: besideUnlessUrl(access.jwks, folder) } } : {}),
  };
}

function besideUnlessUrl(place: string, folder: string): string {
  return /^https?:/.test(place) ? place : resolve(folder, place);
}

function normalise(config: Config): Config {
  return {
    ...config,
    postgres: withoutPassword(config.postgres),
    keys: withoutPassword(config.keys),
    connect: withoutUserInfo(config.connect),
    registry: withoutUserInfo(config.registry),
    ...(config.elasticsearch ? { elasticsearch: withoutUserInfo(config.elasticsearch) } : {}),
    ...(config.clickhouse ? { clickhouse: withoutUserInfo(config.clickhouse) } : {}),
  };
}

/** A `%` that was not meant as an escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface UrlAndPassword {
  readonly url: string;
  readonly password?: string | undefined;
}

function withoutPassword<E extends UrlAndPassword>(endpoint: E): E {
  const url = new URL(endpoint.url);
  if (url.password === '') return endpoint;
  const password = endpoint.password ?? decoded(url.password);
  url.password = '';
  return { ...endpoint, url: url.href, password };
}

function withoutUserInfo<E extends UrlAndPassword & { readonly username?: string | undefined }>(
  endpoint: E,
): E {
  const { password } = withoutPassword(endpoint);
  const url = new URL(endpoint.url);
  const username = endpoint.username ?? (url.username === '' ? undefined : decoded(url.username));
  url.username = '';
  url.password = '';
  return {
    ...endpoint,
    url: url.href.replace(/\/$/, ''),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** What the shape lets pass and would be ignored silently, or worse: a sslmode, TLS options of a plain address. */
function urlFindings(config: Config, document: SourceDocument): Finding[] {
  const postgres = (['postgres', 'keys'] as const).map(
    (part) => [`${part}.url`, postgresUrlProblem(config[part].url)] as const,
  );
  const http = (['connect', 'registry', 'elasticsearch', 'clickhouse'] as const).map(
    (part) => [`${part}.url`, config[part] && httpUrlProblem(config[part])] as const,
  );
  return [...postgres, ...http].flatMap(([field, problem]) => {
    if (!problem) return [];
    const [message, fix] = problem;
    const position = document.valueAt(field.split('.'));
    return [
      {
        severity: 'error',
        code: 'WRONG_VALUE',
        file: document.file,
        ...position,
        field,
        message,
        fix,
      } as const,
    ];
  });
}

type Problem = readonly [message: string, fix: string];

function postgresUrlProblem(text: string): Problem | undefined {
  const fix = 'Write postgres://user@host:port/database, special characters percent-encoded.';
  if (!URL.canParse(text)) return ['not a URL', fix];
  const url = new URL(text);
  if (url.hostname === '' || url.pathname.length <= 1) return ['not a URL with a host and a database', fix];
  if (url.search !== '' || url.hash !== '')
    return ['a URL with parameters', `${fix} TLS is asked for with tls.`];
  return undefined;
}

function httpUrlProblem(endpoint: { url: string; tls?: unknown }): Problem | undefined {
  const url = new URL(endpoint.url);
  if (url.search !== '' || url.hash !== '')
    return ['a URL with parameters', 'Leave out everything from ? or # on.'];
  const withTls = endpoint.tls !== undefined && endpoint.tls !== false;
  if (withTls && url.protocol !== 'https:') {
    return ['tls is set, but the URL is http', 'Write https:// or take tls out.'];
  }
  return undefined;
}

function unreadable(file: string, reason: string): Finding {
  return {
    severity: 'error',
    code: 'FILE_UNREADABLE',
    file,
    line: 1,
    field: '',
    message: `the file cannot be read (${reason})`,
    fix: 'Name the right file with --config, or give this user the right to read it.',
  };
}

/** A path of lethe.yaml, relative to it, as a person would name it from here. */
function besides(configPath: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(configPath), path);
}
