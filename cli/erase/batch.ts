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
import { prepareRequest } from './file-request.ts';
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
      if (!flags.json) process.stdout.write(renderFiled(rows, filed));
      const only = new Set(filed.map(({ id }) => id));
      const done = await runRequests(project, { only, logs: flags.log });
      const byId = new Map(done.map((request) => [request.id, request]));
      const requests = filed.map(({ id }, i) => ({
        line: rows[i]!.line,
        ...describeRequest(byId.get(id)!),
      }));
      print(flags, { requests }, () => renderRequests(done));
      if (done.some(({ state }) => state === 'open' || state === 'needs-person')) process.exitCode = 1;
    });
}

/** Files all of them in one transaction; ERASURE_REFUSED names the line of the first that cannot be, and then none is filed. */
export async function fileBatch(
  project: Project,
  rows: readonly BatchRow[],
  principal: string,
): Promise<ErasureRequest[]> {
  const keys = openKeyStore(project.config);
  const prepared: NewRequest[] = [];
  try {
    for (const row of rows) prepared.push(await prepareRequest(project, keys, row, principal));
  } finally {
    await keys.close();
  }
  return withKeyStore(project.config, (client) =>
    inTransaction(client, async () => {
      const filed: ErasureRequest[] = [];
      for (const [i, request] of prepared.entries()) {
        try {
          filed.push(await insertRequest(client, request));
        } catch (error) {
          if (!(error instanceof LetheError) || error.code !== 'ERASURE_REFUSED') throw error;
          throw new LetheError('ERASURE_REFUSED', `line ${rows[i]!.line}: ${error.message}`, {
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

function renderFiled(rows: readonly BatchRow[], filed: readonly ErasureRequest[]): string {
  return renderTable(
    ['line', 'request'],
    filed.map(({ id }, i) => [String(rows[i]!.line), id]),
  );
}
