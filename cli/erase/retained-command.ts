import type { Command } from 'commander';
import { readRetained, type RetainedRow } from '../../erasure/retained-rows.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import { grouped } from '../../pipeline/grouped.ts';
import { requireAnchored } from '../anchored-keys.ts';
import { keysConfig } from '../keys-config.ts';
import { permitted } from '../permitted.ts';
import { openProject, type Project } from '../project.ts';
import { renderTable } from '../table.ts';
import { untilStopped } from '../until-stopped.ts';
import { endDue } from './end-retained.ts';
import { print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';

/** What a request keeps of a table. */
interface ShownRetention {
  readonly table: string;
  readonly request: string;
  readonly rows: number;
  readonly basis: string;
  readonly until: string;
  readonly isOver: boolean;
}

/** `lethe erase retained`: what erasures have left since the law has to be kept, and until when; with --end, the end of what is due. */
export function retainedCommand(): Command {
  return requestCommandOf('retained', 'what erasures have left by law, on which basis and until when')
    .option(
      '--end',
      'remove what was kept long enough, or whose person is back; `lethe serve` does so by itself',
    )
    .action(async (flags: RequestCommandFlags & { readonly end?: true }) => {
      if (flags.end) {
        const project = await openProject(flags.config);
        await requireAnchored(project.config);
        await permitted(project.config, 'erase:request');
        const ended = await endRetentions(project);
        return print(flags, { ended }, () => `${ended} rows that were due are removed\n`);
      }
      const config = await keysConfig(flags.config);
      await permitted(config, 'erase:read');
      const shown = describe(await withKeyStore(config, (client) => readRetained(client)));
      print(flags, { retained: shown }, () => render(shown));
    });
}

/** Ends what was kept long enough, and says on stderr what is being done; how many rows it was. */
export async function endRetentions(project: Project): Promise<number> {
  const keys = openKeyStore(project.config, 2);
  const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
  try {
    let ended = 0;
    await untilStopped(async (signal) => {
      ended = await endDue({ project, keys, logs: [], say }, signal);
    });
    return ended;
  } finally {
    await keys.close();
  }
}

function describe(rows: readonly RetainedRow[]): ShownRetention[] {
  const now = Date.now();
  return [...grouped(rows, ({ request, dataset }) => `${request} ${dataset}`).values()].map((own) => {
    const [{ dataset, request, basis, until }] = own as [RetainedRow];
    return {
      table: dataset,
      request,
      rows: own.length,
      basis,
      until: until.toISOString(),
      isOver: until.getTime() <= now,
    };
  });
}

function render(shown: readonly ShownRetention[]): string {
  if (shown.length === 0) return 'nothing is kept\n';
  return renderTable(
    ['table', 'request', 'rows', 'basis', 'until'],
    shown.map(({ table, request, rows, basis, until, isOver }) => [
      table,
      request,
      String(rows),
      basis,
      isOver ? { text: `${until}, over`, style: 'red' as const } : until,
    ]),
  );
}
