import { Command } from 'commander';
import { openKeyStore } from '../keys/open-key-store.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { requireType } from './erase/context.ts';
import { parseText } from './erase/request-command.ts';
import { everyIdOf } from './linked.ts';
import { permitted } from './permitted.ts';
import { openProject } from './project.ts';
import { type Lifted, liftRestriction, type Restricted, restrictSubject } from './restrict/restriction.ts';
import { parseSubject, type Subject } from './subject.ts';
import { untilStopped } from './until-stopped.ts';

interface Flags {
  readonly config: string;
  readonly subject: Subject;
  readonly reason?: string;
  readonly lift?: true;
  readonly json?: true;
}

/** `lethe restrict`: a person's data stays at the source and is processed nowhere (GDPR, Article 18), until it is lifted. */
export function restrictCommand(): Command {
  return new Command('restrict')
    .description(
      'stop the processing of a person: gone downstream, untouched at the source; --lift brings it back',
    )
    .requiredOption(
      '--subject <type:id>',
      'whom, as the contracts call them: customer:42; - reads it from stdin',
      parseSubject,
    )
    .option('--reason <text>', 'why; stands in the clear: no personal data', parseText)
    .option('--lift', 'the restriction is over: have the rows read again')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async ({ config: path, subject, reason, lift, json }: Flags) => {
      const project = await openProject(path);
      const { config } = project;
      requireType(project, subject.type);
      await requireAnchored(config);
      const { name } = await permitted(config, 'erase:request');
      if ((lift === undefined) === (reason === undefined)) {
        throw new LetheError('CONFIG_INVALID', 'a restriction takes a reason, and its end takes none', {
          fix: 'Give --reason or --lift.',
        });
      }
      const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
      const all = await untilStopped(async (signal) => {
        const parts = { project, say, signal, principal: name };
        const found: (Restricted | Lifted)[] = [];
        for (const one of await idsOf(config, subject))
          found.push(
            reason === undefined
              ? await liftRestriction(parts, one)
              : await restrictSubject(parts, one, reason),
          );
        return found;
      });
      await anchorKeys(config);
      for (const done of all) process.stdout.write(json ? `${JSON.stringify(done)}\n` : told(done));
    });
}

async function idsOf(config: Config, subject: Subject): Promise<readonly Subject[]> {
  const keys = openKeyStore(config);
  try {
    return await everyIdOf(config, keys, subject);
  } finally {
    await keys.close();
  }
}

function told(done: Restricted | Lifted): string {
  return done.state === 'restricted'
    ? `restriction ${done.restriction}: ${done.records} records are gone downstream; the source is as it was\n`
    : `restriction ${done.restriction} is lifted: ${done.rows} rows are read again\n`;
}
