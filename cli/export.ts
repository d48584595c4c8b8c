import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { appendAudit } from '../keys/audit/audit-log.ts';
import { inTransaction, withKeyStore } from '../keys/key-store-client.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { LetheError } from '../schemas/errors.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { requireType } from './erase/context.ts';
import { subjectData } from './export/subject-data.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { parseSubject, type Subject } from './subject.ts';

interface Flags {
  readonly config: string;
  readonly subject: Subject;
  readonly out?: string;
  readonly json?: true;
}

/** `lethe export`: everything about a person, for access and portability (GDPR, Articles 15 and 20). */
export function exportCommand(): Command {
  return new Command('export')
    .description('everything about a person, as JSON: rows at the source, what each store has, dead letters')
    .requiredOption(
      '--subject <type:id>',
      'whom, as the contracts call them: customer:42; - reads it from stdin',
      parseSubject,
    )
    .option('--out <file>', 'a new file, which this user alone may read; else it is printed')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'with --out: print the counts as JSON')
    .action(async ({ config: path, subject, out, json }: Flags) => {
      const project = await openProject(path);
      const { config } = project;
      requireType(project, subject.type);
      await requireAnchored(config);
      const { name } = await permitted(config, 'export:subject');
      const keys = openKeyStore(config);
      try {
        const { data, counts } = await subjectData(project, keys, subject);
        // It stands in the audit before anybody has it.
        await withKeyStore(config, (client) =>
          inTransaction(client, () =>
            appendAudit(client, 'subject-exported', { type: subject.type, ...counts }, name),
          ),
        );
        await anchorKeys(config);
        const text = `${JSON.stringify(data, null, 2)}\n`;
        if (out === undefined) return void process.stdout.write(text);
        await writePrivate(out, text);
        const { tables, rows, documents, letters, erased, sealed } = counts;
        const shut = erased + sealed === 0 ? '' : `, ${erased + sealed} values cannot be opened`;
        const dead = letters === 0 ? '' : `, ${letters} dead letters`;
        process.stdout.write(
          json
            ? `${JSON.stringify({ file: out, ...counts })}\n`
            : `${out}: ${rows} rows of ${tables} tables, ${documents} records of stores${dead}${shut}\n`,
        );
      } finally {
        await keys.close();
      }
    });
}

/** A file that is there may be read by others, and stays theirs: it is not written over. */
async function writePrivate(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    throw new LetheError('CONFIG_INVALID', `${file} cannot be written (${reason})`, {
      fix: 'Name a new file with --out, in a folder where this user may write.',
    });
  }
}
