import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { beancartFolder } from '../examples/beancart/folder.ts';
import type { Endpoints } from '../stack/endpoints.ts';
import { packageRoot } from '../stack/package-root.ts';

export const demoConfig = join(beancartFolder, 'lethe.yaml');

/** URL of a database beside the stack's own. */
export function databaseUrl(endpoints: Endpoints, database: string): string {
  const url = new URL(endpoints.postgres.url);
  url.pathname = `/${database}`;
  return url.href;
}

/** What `examples/beancart/lethe.yaml` takes from the environment, for the embedded stack. */
export function demoEnvironment(endpoints: Endpoints, dir: string): Record<string, string> {
  return {
    LETHE_POSTGRES_URL: databaseUrl(endpoints, 'beancart'),
    LETHE_KAFKA_BROKER: endpoints.kafka.brokers[0]!,
    LETHE_CONNECT_URL: endpoints.connect.url,
    LETHE_REGISTRY_URL: endpoints.registry.url,
    LETHE_ELASTICSEARCH_URL: endpoints.elasticsearch.url,
    LETHE_CLICKHOUSE_URL: endpoints.clickhouse.url,
    LETHE_KEYS_URL: databaseUrl(endpoints, 'beancart_keys'),
    LETHE_MASTER_FILE: join(dir, 'master.json'),
  };
}

/** Creates an empty database where there is none. */
export async function createDatabase(endpoints: Endpoints, name: string): Promise<void> {
  const client = new Client({ connectionString: endpoints.postgres.url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** A `lethe run` of its own process, its log in a file. */
export interface Processors {
  readonly logFile: string;
  /** Ends when the process does; false if it ended unasked. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

export function startProcessors(
  dir: string,
  env: Record<string, string>,
  args: readonly string[] = [],
): Processors {
  const logFile = join(dir, 'logs', 'lethe-run.log');
  mkdirSync(join(dir, 'logs'), { recursive: true });
  const log = openSync(logFile, 'a', 0o600);
  const main = join(packageRoot(), 'dist', 'cli', 'main.js');
  const child: ChildProcess = spawn(process.execPath, [main, 'run', '--config', demoConfig, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    // Ctrl-C goes to the demo, which stops the processors itself, in order.
    detached: true,
  });
  closeSync(log);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(1));
  });
  return {
    logFile,
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
