import { Command, InvalidArgumentError } from 'commander';
import { serveHttp } from '../console/http-server.ts';
import { leaseEndpoints } from '../console/lease-endpoint.ts';
import { openWatermarks } from '../console/pipeline-watermarks.ts';
import { waitEndpoints } from '../console/wait-endpoint.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { openProject } from './project.ts';
import { readAlarms } from './alarms.ts';
import { readStatus } from './pipeline-status.ts';

interface Flags {
  readonly config: string;
  readonly host: string;
  readonly port: number;
}

const keyStoreConnections = 4;

/** `lethe serve`: read tokens, watermarks and health over HTTP, until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'answer over HTTP: /wait, /watermarks, /health; lease subkeys to whoever has a token and a grant',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option(
      '--host <host>',
      'address to listen on; most of it asks for no login, so not one that strangers reach',
      '127.0.0.1',
    )
    .option('--port <port>', 'port; 0 for any', port, 8640)
    .action(async ({ config: path, host, port }: Flags) => {
      const stopped = new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
      });
      const { config, datasets } = await openProject(path);
      const { watermarks, close } = await openWatermarks(config, datasets);
      const keys = openKeyStore(config, keyStoreConnections);
      try {
        const server = await serveHttp(
          { host, port },
          {
            ...waitEndpoints(config, datasets, watermarks),
            '/health': async () => {
              const status = await readStatus(config, datasets);
              const alarms = await readAlarms(
                config,
                datasets.map(({ table }) => table),
              );
              const healthy = status.healthy && alarms.length === 0;
              return [healthy ? 200 : 503, { ...status, healthy, alarms }];
            },
          },
          leaseEndpoints(config, keys, {
            check: () => requireAnchored(config),
            note: () => anchorKeys(config),
          }),
        );
        process.stdout.write(`listening on ${server.url}\n`);
        await stopped;
        await server.close();
      } finally {
        await Promise.all([close(), keys.close()]);
      }
    });
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number < 65_536) return number;
  throw new InvalidArgumentError('It must be a port.');
}
