import { type ChildProcess, spawn } from 'node:child_process';
import {
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { cacheFolder } from '../../stack/cache/cache-folder.ts';
import { componentPath } from '../../stack/cache/component.ts';
import { stackComponents } from '../../stack/cache/components.ts';
import { postgresOwner } from '../../stack/parts/postgres-owner.ts';
import { postgresCache } from '../../stack/parts/postgres-place.ts';
import { currentPlatform } from '../../stack/platform.ts';
import { pickPort } from '../../stack/ports.ts';

const password = 'own-postgres';

/** A Postgres server of the test's own, for settings that the shared one cannot have. */
export class OwnPostgres {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #server: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  static async create(): Promise<OwnPostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'lethe-postgres-'));
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password);
    for (const path of [folder, passwordFile]) chown(path);
    const initdb = program('initdb', [
      `--pgdata=${folder}/data`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--no-sync',
    ]);
    const code = await new Promise((resolve) => initdb.on('close', resolve));
    if (code !== 0) throw new Error(`initdb ended with ${String(code)}`);
    return new OwnPostgres(folder, await pickPort(new Set()));
  }

  /** Starts it, or starts it again, with these settings. */
  async start(settings: Readonly<Record<string, string>>): Promise<void> {
    await this.#stop();
    const all = {
      port: String(this.#port),
      unix_socket_directories: '',
      fsync: 'off',
      restore_command: 'false',
      ...settings,
    };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    this.#server = program('postgres', ['-D', `${this.#folder}/data`, ...args]);
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        // One that is being promoted lets in who reads before it lets in who writes.
        const [row] = await this.sql('select not pg_is_in_recovery() as writes');
        if (row?.['writes'] === true) return;
        if (Date.now() > deadline) throw new Error('Postgres does not leave its recovery');
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async sql(text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** An image of its disks, made while it is down; it is left so. */
  async image(): Promise<void> {
    await this.#stop('SIGQUIT');
    cpSync(`${this.#folder}/data`, `${this.#folder}/image`, { recursive: true });
    chown(`${this.#folder}/image`);
  }

  /** Puts the image in the place of its disks: it is as it was then, its slots too; left down. */
  async restore(): Promise<void> {
    await this.#stop('SIGQUIT');
    rmSync(`${this.#folder}/data`, { recursive: true });
    renameSync(`${this.#folder}/image`, `${this.#folder}/data`);
  }

  /** Has the next start go on along another timeline, as a promoted standby does; left down. */
  async fork(): Promise<void> {
    await this.#stop('SIGQUIT');
    writeFileSync(`${this.#folder}/data/recovery.signal`, '');
    chown(`${this.#folder}/data/recovery.signal`);
  }

  /** An immediate shutdown: one that lets a replication connection finish waits for its acknowledgement, which may not come. */
  async abort(): Promise<void> {
    await this.#stop('SIGQUIT');
  }

  /** SIGKILL, as in a crash. */
  async kill(): Promise<void> {
    await this.#stop('SIGKILL');
  }

  async drop(): Promise<void> {
    await this.#stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #stop(signal: 'SIGINT' | 'SIGKILL' | 'SIGQUIT' = 'SIGINT'): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const ended = new Promise((resolve) => server.on('close', resolve));
    server.kill(signal);
    await ended;
  }
}

/** Gives the path to the user that Postgres runs as, and all that lies in it. */
function chown(path: string): void {
  const owner = postgresOwner();
  if (!owner) return;
  const inside = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [];
  for (const name of ['', ...inside]) chownSync(join(path, name), owner.uid, owner.gid);
}

function program(name: string, args: readonly string[]): ChildProcess {
  const cache = cacheFolder();
  const { postgres } = stackComponents(currentPlatform()!, cache, postgresCache(cache));
  const owner = postgresOwner();
  return spawn(join(componentPath(postgres), 'native', 'bin', name), args, {
    cwd: '/',
    env: { HOME: '/', LC_ALL: 'C', TZ: 'UTC' },
    stdio: 'ignore',
    ...owner,
  });
}
