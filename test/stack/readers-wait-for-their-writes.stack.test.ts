import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readYourWrites, takeReadToken, waitForReadToken } from '../../client/read-token.ts';
import { clickhouseDatabase, clickhouseView, indexAlias } from '../../schemas/names.ts';
import { createClickhouseClient } from '../../sinks/clickhouse/client.ts';
import { createElasticsearchClient } from '../../sinks/elasticsearch/client.ts';
import { packageRoot } from '../../stack/package-root.ts';
import { type Instance, LivePipeline, waitUntil } from '../support/live-pipeline.ts';
import { acquireStack } from '../support/stack.ts';

const main = join(packageRoot(), 'dist', 'cli', 'main.js');

const contract = (table: string): string => `table: public.${table}
owner: test@lethe.example
tier: 1
sinks: [elasticsearch, clickhouse]
staleness: 30s
columns:
  id: { classification: internal, action: keep }
  name: { classification: internal, action: keep }
`;

/** Invariant: who has waited for his token reads what he wrote, and nobody is told so too early. */
describe('a reader with a token', () => {
  let live: LivePipeline;
  let client: Client;
  let elasticsearch: Instance;
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const contracts = { 'notes.yaml': contract('notes'), 'idle.yaml': contract('idle') };
    live = await LivePipeline.ofContracts(await acquireStack(), contracts, 2);
    client = new Client({ connectionString: live.source.url });
    await client.connect();
    await client.query(`
      create table notes (id int primary key, name text);
      create table idle (id int primary key, name text)`);
    await live.apply();
    elasticsearch = live.run(['--only', 'elasticsearch']);
    await Promise.all(
      [elasticsearch, live.run(['--only', 'transform,clickhouse'])].map((i) => live.ready(i)),
    );
    server = lethe(['serve', '--port', '0']);
    const [line] = (await once(server.stdout!, 'data')) as [Buffer];
    url = /http:\S+/.exec(String(line))![0];
  });

  afterAll(async () => {
    server?.kill('SIGTERM');
    if (server) expect(await once(server, 'exit')).toEqual([0, null]);
    await client?.end();
    await live?.close();
  });

  function lethe(args: string[]): ChildProcess {
    return spawn(process.execPath, [main, ...args, '--config', live.configPath], {
      env: { ...process.env, ...live.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  const write = async (id: number): Promise<string> => {
    await client.query('insert into notes values ($1, $2)', [id, `note ${id}`]);
    return takeReadToken(client);
  };

  it('finds his row in a search and in the view at once, every time', async () => {
    const { config } = live.project!;
    const search = createElasticsearchClient(config.elasticsearch!);
    const warehouse = createClickhouseClient(config.clickhouse!);
    const view = `${clickhouseDatabase(config)}.${clickhouseView('public.notes')}`;
    const [index] = [indexAlias(config, 'public.notes')];
    for (let id = 1; id <= 15; id++) {
      const token = await write(id);
      expect(await waitForReadToken(token, { url, table: 'public.notes', timeoutMs: 60_000 })).toBe(true);
      const { hits } = await search.search({ index, query: { term: { id } } });
      expect(hits.hits).toHaveLength(1);
      const rows = await warehouse.query({ query: `SELECT name FROM ${view} WHERE id = ${id}` });
      expect((await rows.json()).data).toEqual([{ name: `note ${id}` }]);
    }
    await Promise.all([search.close(), warehouse.close()]);
  });

  it('need not wait for a table in which nothing happens', async () => {
    const token = await write(100);
    expect(await waitForReadToken(token, { url, table: 'public.idle', timeoutMs: 60_000 })).toBe(true);
    const found = (await (await fetch(`${url}/watermarks`)).json()) as {
      watermarks: { lsn: string | null }[];
    };
    expect(found.watermarks).toHaveLength(4);
    for (const { lsn } of found.watermarks) expect(lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  });

  it('is told when a store does not have it in time, and reads the source then', async () => {
    await waitForReadToken(await takeReadToken(client), { url, timeoutMs: 60_000 });
    elasticsearch.child.kill('SIGSTOP');
    const token = await write(200);
    expect(await waitForReadToken(token, { url, sink: 'clickhouse', timeoutMs: 60_000 })).toBe(true);
    const options = { url, sink: 'elasticsearch', timeoutMs: 500 } as const;
    const reads = { store: async () => 'store', source: async () => 'source' };
    expect(await readYourWrites(token, options, reads)).toBe('source');
    const late = lethe(['wait', '--lsn', token, '--timeout', '500ms', '--json']);
    const [printed] = (await once(late.stdout!, 'data')) as [Buffer];
    expect(JSON.parse(String(printed))).toMatchObject({ reached: false, lsn: token });
    expect(await once(late, 'exit')).toEqual([1, null]);
    elasticsearch.child.kill('SIGCONT');
    expect(await readYourWrites(token, { ...options, timeoutMs: 60_000 }, reads)).toBe('store');
    const [code] = (await once(lethe(['wait', '--lsn', token, '--timeout', '1m']), 'exit')) as [number];
    expect(code).toBe(0);
  });

  it('is told what is wrong with what he asks', async () => {
    const ask = async (path: string): Promise<[number, unknown]> => {
      const response = await fetch(`${url}${path}`);
      return [response.status, await response.json()];
    };
    for (const query of ['', 'lsn=now', 'lsn=0/1&sink=solr', 'lsn=0/1&table=notes', 'lsn=0/1&timeout=1h']) {
      const [status, body] = await ask(`/wait?${query}`);
      expect([query, status, body]).toMatchObject([query, 400, { error: { code: 'CONFIG_INVALID' } }]);
    }
    expect(await ask('/nowhere')).toEqual([
      404,
      {
        paths: [
          '/wait',
          '/watermarks',
          '/health',
          '/metrics',
          '/v1/keys/lease',
          '/v1/erasures',
          '/v1/erasures/:id',
          '/v1/erasures/:id/approve',
          '/v1/erasures/:id/acknowledge',
          '/v1/erasures/:id/cancel',
          '/v1/erasures/:id/certificate',
        ],
      },
    ]);
    expect((await fetch(`${url}/wait`, { method: 'POST' })).status).toBe(405);
    await waitUntil(async () => (await ask('/health'))[0] === 200, 60_000, 'a healthy pipeline');
  });
});
