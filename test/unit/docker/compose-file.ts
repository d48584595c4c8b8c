import { parse } from 'yaml';
import { projectText } from '../../support/project-tree.ts';

interface Mount {
  readonly source: string;
  readonly target: string;
}

/** What the tests ask of a service; short and long forms brought into one. */
export interface Service {
  readonly image: string | undefined;
  readonly build: { context: string; dockerfile: string; args: Record<string, string> } | undefined;
  readonly command: readonly string[];
  readonly restart: string | undefined;
  readonly environment: Readonly<Record<string, string | number>>;
  readonly networks: readonly string[];
  readonly ports: readonly string[];
  readonly mounts: readonly Mount[];
  readonly secrets: readonly Mount[];
  readonly dependsOn: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck: { test: readonly string[] } | undefined;
  /** All of it as text, to look for what it names. */
  readonly text: string;
}

export interface Compose {
  readonly text: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Secrets and the files that they come from, relative to `docker/`. */
  readonly secrets: Readonly<Record<string, string>>;
}

interface RawService {
  readonly secrets?: (string | Mount)[];
  readonly volumes?: string[];
  readonly [key: string]: unknown;
}

/** `docker/compose.yaml`, its anchors and merges resolved, its variables as they are written. */
export function readCompose(): Compose {
  const text = projectText('docker/compose.yaml');
  const raw = parse(text, { merge: true }) as {
    services: Record<string, RawService>;
    networks: object;
    volumes: object;
    secrets: Record<string, { file: string }>;
  };
  return {
    text,
    services: Object.fromEntries(Object.entries(raw.services).map(([name, s]) => [name, service(s)])),
    networks: Object.keys(raw.networks),
    volumes: Object.keys(raw.volumes),
    secrets: Object.fromEntries(Object.entries(raw.secrets).map(([name, { file }]) => [name, file])),
  };
}

function service(raw: RawService): Service {
  const list = (key: string): string[] => (raw[key] as string[] | undefined) ?? [];
  return {
    image: raw['image'] as string | undefined,
    build: raw['build'] as Service['build'],
    command: list('command'),
    restart: raw['restart'] as string | undefined,
    environment: (raw['environment'] as Service['environment'] | undefined) ?? {},
    networks: list('networks'),
    ports: list('ports'),
    mounts: (raw.volumes ?? []).map((mount) => {
      const [source, target] = mount.split(':') as [string, string];
      return { source, target };
    }),
    secrets: (raw.secrets ?? []).map((secret) =>
      typeof secret === 'string' ? { source: secret, target: `/run/secrets/${secret}` } : secret,
    ),
    dependsOn: (raw['depends_on'] as Service['dependsOn'] | undefined) ?? {},
    healthcheck: raw['healthcheck'] as Service['healthcheck'],
    text: JSON.stringify(raw),
  };
}

/** `docker/versions.env` as a map. */
export function readVersions(): Map<string, string> {
  const lines = projectText('docker/versions.env').split('\n');
  const pairs = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split('=', 2));
  return new Map(pairs as [string, string][]);
}

/** Names of the variables that a text takes from outside: `${NAME}` and its longer forms, but not `$$`. */
export function variablesOf(text: string): Set<string> {
  return new Set([...text.matchAll(/(?<!\$)\$\{?([A-Za-z_][A-Za-z0-9_]*)/g)].map((m) => m[1]!));
}

/** Secrets that a text reads from `/run/secrets`, also as `${dir:/run/secrets:NAME}`. */
export function secretsRead(text: string): string[] {
  return [...text.matchAll(/\/run\/secrets[/:]([\w.]+\w)/g)].map((m) => m[1]!);
}
