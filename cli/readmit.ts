import { Command } from 'commander';
import { newestTombstones } from '../erasure/tombstone-version.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { readmitSubject, requireErased } from '../keys/readmit-subject.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { requireType } from './erase/context.ts';
import { takeBackRetained } from './erase/end-retained.ts';
import { noteInLedger } from './ledger.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { raiseClocks } from './raise-clocks.ts';
import { rereadSubject } from './reread-subject.ts';
import { parseSubject, type Subject } from './subject.ts';

interface Flags {
  readonly config: string;
  readonly subject: Subject;
  readonly json?: true;
}

/**
 * `lethe readmit`: a person who was erased comes back, under a new key. Nobody's role alone lets him: it takes a glass, a reason, and two who
 * approve. Rows that the application had kept are read again, and come as newer than the erasure's tombstones.
 */
export function readmitCommand(): Command {
  return new Command('readmit')
    .description(
      'let a person come back who was erased, under a new key; takes `lethe glass ask readmit` and two approvals',
    )
    .requiredOption(
      '--subject <type:id>',
      'whom, as the contracts call them: customer:42; - reads it from stdin',
      parseSubject,
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async ({ config: path, subject, json }: Flags) => {
      const project = await openProject(path);
      const { config } = project;
      requireType(project, subject.type);
      await requireAnchored(config);
      const { name } = await permitted(config, 'subject:readmit', { glass: [{ kind: 'readmit' }] });
      const keys = openKeyStore(config);
      try {
        const { type, id } = subject;
        const digest = await keys.subjectDigest({ type }, id);
        const tombstones = await withKeyStore(config, async (client) => {
          await requireErased(client, type, digest);
          return newestTombstones(client, { type, digest });
        });
        const own = project.datasets.filter((dataset) => dataset.subject?.type === type);
        // Before anything else: whoever is cut short after it loses nothing that is read again later.
        if (tombstones) await raiseClocks(config, own, tombstones);
        const { keyId } = await readmitSubject(config, { type }, digest, name);
        await noteInLedger(config, [{ subject: { type, digest }, state: 'readmitted', request: '', keyId }]);
        await anchorKeys(config);
        const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
        // Rows that the source still has come back whole.
        await takeBackRetained({ project, keys, logs: [], say }, { subject: { type, digest } });
        const rows = await rereadSubject(project, subject, { say });
        process.stdout.write(
          json
            ? `${JSON.stringify({ keyId, rows })}\n`
            : `readmitted under key ${keyId}; ${rows} rows are read again\n`,
        );
      } finally {
        await keys.close();
      }
    });
}
