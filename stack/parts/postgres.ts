import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { componentPath } from '../cache/component.ts';
import type { DaemonCommand } from '../process/daemon.ts';
import { StackError } from '../stack-error.ts';
import { stackVersions } from '../versions.ts';
import { type Part, type PartContext, READY_REQUEST_MS } from './part.ts';
import { postgresOwner } from './postgres-owner.ts';
import { makePostgresPlace } from './postgres-place.ts';

/** PostgreSQL with logical decoding. */
export const postgresPart: Part = {
  name: 'postgres',
  version: stackVersions().postgres.version,
  needs: [],
  ports: ['postgres'],
  stopSignal: 'SIGINT', // the fast shutdown; SIGTERM would wait for every client to leave
  stopLimitMs: 20_000,
  readyLimitMs: 120_000,
  prepare: async (context) => {
    makePostgresPlace(context.folder, context.state.id);
    if (!existsSync(join(cluster(context), 'PG_VERSION'))) await initialise(context);
    writeConfiguration(context);
  },
  command: (context) =>
    server(context, 'postgres', ['-D', cluster(context), '-c', `config_file=${configFile(context)}`]),
  isReady: async (context) => {
    const client = postgresClient(context);
    await client.connect();
    try {
      return (await client.query('SELECT 1')).rowCount === 1;
    } finally {
      await client.end();
    }
  },
};

/** A client as the superuser of this stack. */
export function postgresClient(context: Pick<PartContext, 'ports' | 'state'>): Client {
  const client = new Client({
    host: '127.0.0.1',
    port: context.ports.postgres,
    user: 'postgres',
    password: context.state.passwords.postgres,
    database: 'postgres',
    connectionTimeoutMillis: READY_REQUEST_MS,
    query_timeout: READY_REQUEST_MS,
  });
  client.on('error', () => undefined); // a connection that breaks is told by the query that needed it
  return client;
}

// Real paths: the folders may be links whose own place Postgres may not enter.
function cluster(context: PartContext): string {
  return join(realpathSync(context.folder.data), 'cluster');
}

function configFile(context: PartContext): string {
  return join(realpathSync(context.folder.conf), 'postgresql.conf');
}

function server(context: PartContext, program: string, args: readonly string[]): DaemonCommand {
  const owner = postgresOwner();
  return {
    command: join(componentPath(context.components.postgres), 'native', 'bin', program),
    args,
    cwd: '/',
    env: { HOME: '/', LC_ALL: 'C', TZ: 'UTC' },
    ...(owner === undefined ? {} : { user: owner }),
  };
}

/** Into a folder beside, renamed when it is complete: a killed initdb leaves nothing that looks like data. */
async function initialise(context: PartContext): Promise<void> {
  const draft = join(dirname(cluster(context)), 'draft');
  const passwordFile = join(dirname(configFile(context)), 'password');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(passwordFile, context.state.passwords.postgres, { mode: 0o600 });
  const owner = postgresOwner();
  if (owner !== undefined) {
    chownSync(draft, owner.uid, owner.gid);
    chownSync(passwordFile, owner.uid, owner.gid);
  }
  try {
    await runInitdb(
      server(context, 'initdb', [
        `--pgdata=${draft}`,
        '--username=postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        // Built into Postgres: the same order and the same upper case on every system.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ]),
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(draft, cluster(context));
}

async function runInitdb(command: DaemonCommand): Promise<void> {
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.user === undefined ? {} : command.user),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-2_000);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  throw new StackError(
    'PART_DIED',
    `initdb of Postgres failed: ${output.trim().split('\n').slice(-2).join(' | ')}`,
    'see the message; `lethe stack reset` starts over',
  );
}

/** Rewritten at every start; what `ALTER SYSTEM` sets lies in the data folder and stands above it. */
function writeConfiguration(context: PartContext): void {
  const file = configFile(context);
  const settings: Record<string, string | number> = {
    data_directory: cluster(context),
    hba_file: join(cluster(context), 'pg_hba.conf'),
    ident_file: join(cluster(context), 'pg_ident.conf'),
    listen_addresses: '127.0.0.1',
    port: context.ports.postgres,
    unix_socket_directories: '',
    max_connections: 200,
    wal_level: 'logical',
    max_replication_slots: 20,
    max_wal_senders: 20,
    max_slot_wal_keep_size: '2GB',
    track_commit_timestamp: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // The log never holds a row: no failing statements, no details such as "Key (email)=(…)", no client errors.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`,
  );
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  const owner = postgresOwner();
  if (owner !== undefined) chownSync(file, owner.uid, owner.gid);
}
