import { Command } from 'commander';
import type { ClientBase } from 'pg';
import { openRequestOf } from '../erasure/requests.ts';
import { actingPrincipal } from '../keys/access/acting-principal.ts';
import { inTransaction, withKeyStore } from '../keys/key-store-client.ts';
import { linkSubjects, unlinkSubject } from '../keys/linked-subjects.ts';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { PostgresKeyStore } from '../keys/postgres-key-store.ts';
import { LetheError } from '../schemas/errors.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { requireType } from './erase/context.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { parseSubject, type Subject } from './subject.ts';

interface Flags {
  readonly config: string;
  readonly subject: Subject;
  readonly with?: Subject;
  readonly undo?: true;
  readonly json?: true;
}

/** `lethe link`: two ids are one person's, who got another id or had two: whoever asks for the one means both. */
export function linkCommand(): Command {
  return new Command('link')
    .description(
      'say that two ids are one person: requests, holds, exports and restrictions of one are of both',
    )
    .requiredOption(
      '--subject <type:id>',
      'one id, as the contracts call it: customer:42; - reads it from stdin',
      parseSubject,
    )
    .option('--with <type:id>', 'the other id, of the same kind', parseSubject)
    .option('--undo', 'it was a mistake: the id of --subject is a person of its own again')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async ({ config: path, subject, with: other, undo, json }: Flags) => {
      const project = await openProject(path);
      const { config } = project;
      const { type, id } = subject;
      requireType(project, type);
      await requireAnchored(config);
      await permitted(config, 'erase:approve');
      refuseSenseless(subject, other, undo);
      const keys = openKeyStore(config);
      try {
        const done = await withKeyStore(config, (client) =>
          inTransaction(client, async () => {
            if (other) await refuseUnderWay(client, keys, type, [id, other.id]);
            if (other) return linkSubjects(client, keys, type, [id, other.id], actingPrincipal());
            await unlinkSubject(client, keys, type, id, actingPrincipal());
            return { ids: 1, sharesKey: false };
          }),
        );
        await anchorKeys(config);
        const key = done.sharesKey ? 'under one key' : 'each under the key that it had';
        const text = other ? `one person with ${done.ids} ids, ${key}\n` : 'a person of its own again\n';
        process.stdout.write(json ? `${JSON.stringify({ subjectType: type, ...done })}\n` : text);
      } finally {
        await keys.close();
      }
    });
}

/** A request is of the ids that were linked when it was filed: another one would be left out of it. */
async function refuseUnderWay(
  client: ClientBase,
  keys: PostgresKeyStore,
  type: string,
  ids: readonly string[],
): Promise<void> {
  const digests = await Promise.all(ids.map((id) => keys.subjectDigest({ type }, id)));
  const request = await openRequestOf(client, type, digests);
  if (request === undefined) return;
  throw new LetheError('ERASURE_REFUSED', `request ${request} is under way for one of the two ids`, {
    fix: `Cancel it with \`lethe erase cancel ${request}\`, link, and file it again.`,
  });
}

function refuseSenseless(subject: Subject, other: Subject | undefined, undo: true | undefined): void {
  const fix = 'Give --subject customer:42 --with customer:4711, or --subject customer:42 --undo.';
  const refuse = (message: string): LetheError => new LetheError('CONFIG_INVALID', message, { fix });
  if ((other === undefined) === (undo === undefined))
    throw refuse('it takes the other id, or --undo, and not both');
  if (!other) return;
  if (other.type !== subject.type) throw refuse('--subject and --with are persons of two kinds');
  if (other.id === subject.id) throw refuse('--subject and --with are the same id');
}
