import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { applyProject } from '../cli/apply.ts';
import { createDatabase, databaseUrl } from '../cli/demo-environment.ts';
import { openProject } from '../cli/project.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import type { Endpoints } from '../stack/endpoints.ts';
import { contract, createTable } from './table.ts';

/** What a project is made of. */
export interface BenchTables {
  /** Makes the tables; they stay empty. */
  readonly ddl: string;
  /** Texts of the contracts by file name. */
  readonly contracts: Readonly<Record<string, string>>;
}

const orders: BenchTables = { ddl: createTable, contracts: { 'orders.yaml': contract } };

/** A project of one table, or of those that are asked for, applied: connector, topics and stores are there, and everything is empty. */
export interface BenchProject {
  readonly configPath: string;
  readonly config: Config;
  /** The first table's. */
  readonly dataset: Dataset;
  /** URL of the source's database. */
  readonly source: string;
  /** What lethe.yaml takes from the environment. */
  readonly env: Readonly<Record<string, string>>;
}

const settings = (name: string): string => `name: ${name}
environment: development
postgres: { url: "\${env:LETHE_POSTGRES_URL}" }
kafka: { brokers: ["\${env:LETHE_KAFKA_BROKER}"] }
connect: { url: "\${env:LETHE_CONNECT_URL}" }
registry: { url: "\${env:LETHE_REGISTRY_URL}" }
elasticsearch: { url: "\${env:LETHE_ELASTICSEARCH_URL}" }
clickhouse: { url: "\${env:LETHE_CLICKHOUSE_URL}" }
keys: { url: "\${env:LETHE_KEYS_URL}", master: { kind: local, file: "\${env:LETHE_MASTER_FILE}" } }
topics: { prefix: "${name}.", partitions: 6, replicationFactor: 1 }
`;

/** Makes databases, table, files, and applies them; the name is new, so that runs on lent servers do not meet. */
export async function makeProject(
  endpoints: Endpoints,
  dir: string,
  { ddl, contracts }: BenchTables = orders,
): Promise<BenchProject> {
  const name = `bench_${randomBytes(3).toString('hex')}`;
  const configPath = join(dir, 'lethe.yaml');
  mkdirSync(join(dir, 'contracts'), { recursive: true });
  writeFileSync(configPath, settings(name));
  for (const [file, text] of Object.entries(contracts)) writeFileSync(join(dir, 'contracts', file), text);
  for (const database of [name, `${name}_keys`]) await createDatabase(endpoints, database);
  const source = databaseUrl(endpoints, name);
  const env = {
    LETHE_POSTGRES_URL: source,
    LETHE_KAFKA_BROKER: endpoints.kafka.brokers[0]!,
    LETHE_CONNECT_URL: endpoints.connect.url,
    LETHE_REGISTRY_URL: endpoints.registry.url,
    LETHE_ELASTICSEARCH_URL: endpoints.elasticsearch.url,
    LETHE_CLICKHOUSE_URL: endpoints.clickhouse.url,
    LETHE_KEYS_URL: databaseUrl(endpoints, `${name}_keys`),
    LETHE_MASTER_FILE: join(dir, 'master.json'),
  };
  Object.assign(process.env, env);
  const client = new Client({ connectionString: source });
  await client.connect();
  try {
    await client.query(ddl);
  } finally {
    await client.end();
  }
  await applyProject(configPath);
  const { config, datasets } = await openProject(configPath);
  return { configPath, config, dataset: datasets[0]!, source, env };
}
