import type { Command } from 'commander';
import { type ErasureRequest, insertRequest, type NewRequest } from '../../erasure/requests.ts';
import { actingPrincipal } from '../../keys/access/acting-principal.ts';
import { inTransaction, withKeyStore } from '../../keys/key-store-client.ts';
import { openKeyStore } from '../../keys/open-key-store.ts';
import { LetheError } from '../../schemas/errors.ts';
import { requireAnchored } from '../anchored-keys.ts';
import { permitted } from '../permitted.ts';
import { openProject, type Project } from '../project.ts';
import { renderTable } from '../table.ts';
import { prepareRequests } from './file-request.ts';
import { type BatchRow, readBatch } from './read-batch.ts';
import { parseText, print, type RequestCommandFlags, requestCommandOf } from './request-command.ts';
import { runRequests } from './run-requests.ts';
import { textOfFile } from './text-of-file.ts';
import { describeRequest, renderRequests } from './show-request.ts';

interface Flags extends RequestCommandFlags {
  readonly reason?: string;
  readonly log: readonly string[];
}

/** `lethe erase batch FILE`: many requests, filed together or not at all, and carried out together. */
export function batchCommand(): Command {
  return requestCommandOf(
    'batch',
    'file the requests of a CSV file, all or none, and carry them out together',
  )
    .argument('<file>', 'columns subject_type, subject_id and, as there are, reason, request_id, received')
    .option('--reason <text>', 'why, for lines that do not say it; no personal data', parseText)
    .option(
      '--log <path>',
      'log file, or folder of them, to be looked through too',
      (path: string, before: readonly string[]) => [...before, path],
      [],
    )
    .action(async (file: string, flags: Flags) => {
      const project = await openProject(flags.config);
      await requireAnchored(project.config);
      await permitted(project.config, 'erase:request');
      const rows = readBatch(
        await textOfFile(file, 'CONFIG_INVALID', 'Name a CSV file in UTF-8 that this user can read.'),
        subjectTypes(project),
        flags.reason,
      );
      const filed = await fileBatch(project, rows, actingPrincipal());
      // Before anything is carried out: who is cut short must know which request is whose.
      if (!flags.json) process.stdout.write(renderFiled(filed));
      const only = new Set(filed.map(({ request }) => request.id));
      const done = await runRequests(project, { only, logs: flags.log });
      const byId = new Map(done.map((request) => [request.id, request]));
      const requests = filed.map(({ line, request }) => ({
        line,
        ...describeRequest(byId.get(request.id)!),
      }));
      print(flags, { requests }, () => renderRequests(done));
      if (done.some(({ state }) => state === 'open' || state === 'needs-person')) process.exitCode = 1;
    });
}

/** A request, and the line that asked for it. */
interface Filed {
  readonly line: number;
  readonly request: ErasureRequest;
}

/** Files all of them in one transaction; ERASURE_REFUSED names the line of the first that cannot be, and then none is filed. */
export async function fileBatch(
  project: Project,
  rows: readonly BatchRow[],
  principal: string,
): Promise<Filed[]> {
  const keys = openKeyStore(project.config);
  const prepared: { readonly line: number; readonly request: NewRequest }[] = [];
  try {
    const ofRows: [BatchRow, Awaited<ReturnType<typeof prepareRequests>>][] = [];
    for (const row of rows) ofRows.push([row, await prepareRequests(project, keys, row, principal)]);
    // Another id of a person may have a line of its own.
    const asked = new Set(ofRows.map(([, [own]]) => nameOf(own)));
    for (const [{ line }, [own, ...others]] of ofRows) {
      prepared.push({ line, request: own });
      for (const request of others) {
        if (asked.has(nameOf(request))) continue;
        asked.add(nameOf(request));
        prepared.push({ line, request });
      }
    }
  } finally {
    await keys.close();
  }
  return withKeyStore(project.config, (client) =>
    inTransaction(client, async () => {
      const filed: Filed[] = [];
      for (const { line, request } of prepared) {
        try {
          filed.push({ line, request: await insertRequest(client, request) });
        } catch (error) {
          if (!(error instanceof LetheError) || error.code !== 'ERASURE_REFUSED') throw error;
          throw new LetheError('ERASURE_REFUSED', `line ${line}: ${error.message}`, {
            fix: 'Correct the line, or leave it out: none of the requests was filed.',
          });
        }
      }
      return filed;
    }),
  );
}

/** Kinds of persons that contracts speak of. */
export function subjectTypes({ datasets }: Pick<Project, 'datasets'>): string[] {
  return [...new Set(datasets.flatMap(({ subject }) => subject?.type ?? []))];
}

function nameOf({ subject: { type, digest } }: NewRequest): string {
  return `${type} ${digest.toString('hex')}`;
}

function renderFiled(filed: readonly Filed[]): string {
  return renderTable(
    ['line', 'request'],
    filed.map(({ line, request }) => [String(line), request.id]),
  );
}
