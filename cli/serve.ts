import { Command, InvalidArgumentError } from 'commander';
import { serveHttp } from '../console/http-server.ts';
import { Door } from '../console/door.ts';
import { erasureRoutes } from '../console/erasure-endpoints.ts';
import { healthEndpoints } from '../console/health-endpoints.ts';
import { leaseEndpoints } from '../console/lease-endpoint.ts';
import { openWatermarks } from '../console/pipeline-watermarks.ts';
import { waitEndpoints } from '../console/wait-endpoint.ts';
import { workable } from '../erasure/runner.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { BackgroundRunner } from './erase/background-runner.ts';
import { isRetentionDue } from './erase/end-retained.ts';
import { httpDesk } from './erase/http-desk.ts';
import { endRetentions } from './erase/retained-command.ts';
import { runRequests } from './erase/run-requests.ts';
import { openProject } from './project.ts';
import { readHealth } from './health.ts';

interface Flags {
  readonly config: string;
  readonly host: string;
  readonly port: number;
  readonly erasures: boolean;
}

const keyStoreConnections = 4;

/**
 * `lethe serve`: read tokens, watermarks, health and metrics over HTTP, until SIGTERM or SIGINT. Requests of erasures that are filed here, or were left
 * open by another process, are carried out in the background, one run at a time.
 */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'answer over HTTP: /wait, /watermarks, /health, /metrics; with a token: lease subkeys, file and carry out erasures',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option(
      '--host <host>',
      'address to listen on; most of it asks for no login, so not one that strangers reach',
      '127.0.0.1',
    )
    .option('--port <port>', 'port; 0 for any', port, 8640)
    .option('--no-erasures', 'take requests of erasures, and carry none out: another process does')
    .action(async ({ config: path, host, port, erasures }: Flags) => {
      const stopped = new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
      });
      const project = await openProject(path);
      const { config, datasets } = project;
      const { watermarks, close } = await openWatermarks(config, datasets);
      const keys = openKeyStore(config, keyStoreConnections);
      const door = new Door(config, { check: () => requireAnchored(config), note: () => anchorKeys(config) });
      const runner = new BackgroundRunner({
        run: async () => {
          const open = await withKeyStore(config, (client) => workable(client));
          // Contracts may have changed since the start.
          if (erasures && open.length > 0) await runRequests(await openProject(path), { logs: [] });
          if (erasures && (await isRetentionDue(config))) await endRetentions(await openProject(path));
        },
        say: (text) => void process.stderr.write(`${text}\n`),
      });
      try {
        const server = await serveHttp(
          { host, port },
          {
            ...waitEndpoints(config, datasets, watermarks),
            ...healthEndpoints(() => readHealth(config, datasets)),
          },
          leaseEndpoints(config, keys, door),
          erasureRoutes(
            httpDesk(project, keys, () => runner.wake()),
            door,
          ),
        );
        runner.wake();
        process.stdout.write(`listening on ${server.url}\n`);
        await stopped;
        await server.close();
      } finally {
        await runner.close();
        await Promise.all([close(), keys.close()]);
      }
    });
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number < 65_536) return number;
  throw new InvalidArgumentError('It must be a port.');
}
