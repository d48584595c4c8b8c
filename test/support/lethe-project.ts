import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type QueryResult } from 'pg';
import { deleteCapture } from '../../connectors/connect/delete-connector.ts';
import { createKafka } from '../../pipeline/kafka.ts';
import type { Config } from '../../schemas/config.ts';
import { indexAlias } from '../../schemas/names.ts';
import { loadConfig } from '../../schemas/load-config.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { freshDatabase, type TestDatabase, type TestEndpoints, type TestStack } from './stack.ts';

/** What a command left. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProjectParts {
  /** SQL that makes the source's tables. */
  readonly schema: string;
  /** Text of the contracts by file name. */
  readonly contracts: Readonly<Record<string, string>>;
  readonly partitions?: number;
  /** Source of another server; default: a database of its own on the stack. */
  readonly source?: TestDatabase;
}

/** A project with a database, a key store, a name and a topic prefix of its own, on the shared stack. */
export class LetheProject {
  readonly folder: string;
  readonly name: string;
  readonly source: TestDatabase;
  readonly keys: TestDatabase;
  readonly endpoints: TestEndpoints;
  readonly #config: Readonly<Record<string, unknown>>;

  private constructor(
    endpoints: TestEndpoints,
    folder: string,
    source: TestDatabase,
    keys: TestDatabase,
    partitions: number,
  ) {
    this.endpoints = endpoints;
    this.folder = folder;
    this.name = `t${randomBytes(4).toString('hex')}`;
    this.source = source;
    this.keys = keys;
    this.#config = {
      name: this.name,
      postgres: { url: source.url },
      kafka: { brokers: endpoints.kafka.brokers },
      connect: { url: endpoints.connect.url },
      registry: { url: endpoints.registry.url },
      elasticsearch: { url: endpoints.elasticsearch.url },
      clickhouse: { url: endpoints.clickhouse.url },
      keys: { url: keys.url, master: { kind: 'local', file: 'master.json' } },
      topics: { prefix: `${this.name}.`, partitions },
      environment: 'development',
    };
  }

  static async create(stack: TestStack, parts: ProjectParts): Promise<LetheProject> {
    const folder = await mkdtemp(join(tmpdir(), 'lethe-project-'));
    const source = parts.source ?? (await freshDatabase(stack.endpoints, 'project'));
    const keys = await freshDatabase(stack.endpoints, 'project_keys');
    const project = new LetheProject(stack.endpoints, folder, source, keys, parts.partitions ?? 2);
    await mkdir(join(folder, 'contracts'));
    await project.sql(parts.schema);
    await project.writeConfig();
    for (const [name, text] of Object.entries(parts.contracts)) await project.writeContract(name, text);
    return project;
  }

  /** Writes lethe.yaml; sections given here replace those of the project. YAML is a superset of JSON. */
  async writeConfig(sections: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const lines = Object.entries({ ...this.#config, ...sections }).map(
      ([k, v]) => `${k}: ${JSON.stringify(v)}\n`,
    );
    await writeFile(join(this.folder, 'lethe.yaml'), lines.join(''));
  }

  async writeContract(file: string, text: string): Promise<void> {
    await writeFile(join(this.folder, 'contracts', file), text);
  }

  async removeContract(file: string): Promise<void> {
    await rm(join(this.folder, 'contracts', file));
  }

  async config(): Promise<Config> {
    const { config } = await loadConfig(join(this.folder, 'lethe.yaml'));
    return config!;
  }

  /** Runs the built command in the project's folder. */
  async lethe(...args: string[]): Promise<CommandResult> {
    const child = spawn(process.execPath, [join(packageRoot(), 'dist', 'cli', 'main.js'), ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, ...out };
  }

  /** Statements of the application. */
  async sql(text: string, values?: unknown[]): Promise<QueryResult<Record<string, unknown>>> {
    const client = new Client({ connectionString: this.source.url });
    await client.connect();
    try {
      return await client.query<Record<string, unknown>>(text, values);
    } finally {
      await client.end();
    }
  }

  /** What there is of this pipeline in the servers: all of it must be there after apply, nothing before. */
  async traces(): Promise<string[]> {
    const { rows } = await this.sql(
      `select 'publication ' || pubname as trace from pg_publication where pubname = $1
       union all select 'slot ' || slot_name from pg_replication_slots where slot_name = $1
       union all select 'schema ' || nspname from pg_namespace where nspname = 'lethe'`,
      [`lethe_${this.name}`],
    );
    const connectors = (await getJson(`${this.endpoints.connect.url}/connectors`)) as string[];
    const subjects = (await getJson(`${this.endpoints.registry.url}/subjects`)) as string[];
    const topics = await this.#topics();
    return [
      ...rows.map((row) => String(row['trace'])),
      ...connectors.filter((name) => name === `lethe-${this.name}`).map((name) => `connector ${name}`),
      ...subjects
        .filter((subject) => subject.includes(`${this.name}.`))
        .map((subject) => `subject ${subject}`),
      ...topics.map((topic) => `topic ${topic}`),
    ];
  }

  async drop(): Promise<void> {
    await this.writeConfig();
    const config = await this.config();
    await deleteCapture(config).catch(() => {});
    await this.#deleteTopics();
    await this.#deleteSubjects();
    await fetch(`${this.endpoints.elasticsearch.url}/${indexAlias(config, 'public.x').replace(/x$/, '*')}`, {
      method: 'DELETE',
    });
    await this.#dropClickhouse();
    await this.source.drop();
    await this.keys.drop();
    await rm(this.folder, { recursive: true });
  }

  async #topics(): Promise<string[]> {
    const admin = createKafka(await this.config(), 'test').admin();
    await admin.connect();
    try {
      return (await admin.listTopics()).filter((topic) => topic.includes(`${this.name}.`));
    } finally {
      await admin.disconnect();
    }
  }

  async #deleteTopics(): Promise<void> {
    const topics = await this.#topics();
    const admin = createKafka(await this.config(), 'test').admin();
    await admin.connect();
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await admin.disconnect();
  }

  async #deleteSubjects(): Promise<void> {
    const { url } = this.endpoints.registry;
    const subjects = (await getJson(`${url}/subjects`)) as string[];
    for (const subject of subjects.filter((name) => name.includes(`${this.name}.`))) {
      await fetch(`${url}/subjects/${subject}`, { method: 'DELETE' });
      await fetch(`${url}/subjects/${subject}?permanent=true`, { method: 'DELETE' });
    }
  }

  async #dropClickhouse(): Promise<void> {
    const url = new URL(this.endpoints.clickhouse.url);
    const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
    await fetch(url.origin, {
      method: 'POST',
      headers: { authorization },
      body: `DROP DATABASE IF EXISTS \`${this.name}\``,
    });
  }
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  return response.json();
}
