import { Command } from 'commander';
import { openWatermarks } from '../console/pipeline-watermarks.ts';
import { readToken, type WaitAnswer, waitForToken } from '../console/read-token.ts';
import { defaultTimeout, timeoutMs } from '../console/wait-endpoint.ts';
import { openProject } from './project.ts';
import { renderTable } from './table.ts';

interface Flags {
  readonly config: string;
  readonly lsn: string;
  readonly sink?: string;
  readonly table?: string;
  readonly timeout: string;
  readonly json?: true;
}

/** `lethe wait`: until the stores have what was committed up to an LSN; exit 1 if the time is up first. */
export function waitCommand(): Command {
  return new Command('wait')
    .description('wait until the stores have everything up to an LSN: to read what one has written')
    .requiredOption('--lsn <lsn>', 'as `select pg_current_wal_insert_lsn()` says it after the commit')
    .option('--sink <sink>', 'only this store')
    .option('--table <table>', 'only this table')
    .option('--timeout <duration>', 'longest wait', defaultTimeout)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const limitMs = timeoutMs(flags.timeout);
      const { config, datasets } = await openProject(flags.config);
      const token = readToken(flags, datasets);
      const { watermarks, close } = await openWatermarks(config, datasets);
      try {
        const answer = await waitForToken(config, watermarks, token, AbortSignal.timeout(limitMs));
        process.stdout.write(flags.json ? `${JSON.stringify(answer)}\n` : render(answer));
        if (!answer.reached) process.exitCode = 1;
      } finally {
        await close();
      }
    });
}

function render({ reached, lsn, watermarks }: WaitAnswer): string {
  if (reached) return `the stores have everything up to ${lsn}\n`;
  const rows = watermarks.map(({ sink, table, lsn: at }) => [sink, table, at ?? 'not known']);
  return `not everything up to ${lsn} is there yet\n${renderTable(['sink', 'table', 'has up to'], rows)}`;
}
