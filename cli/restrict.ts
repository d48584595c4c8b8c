import { Command } from 'commander';
import { LetheError } from '../schemas/errors.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { requireType } from './erase/context.ts';
import { parseText } from './erase/request-command.ts';
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
      const done = await untilStopped<Restricted | Lifted>((signal) => {
        const parts = { project, say, signal, principal: name };
        return reason === undefined
          ? liftRestriction(parts, subject)
          : restrictSubject(parts, subject, reason);
      });
      await anchorKeys(config);
      const text =
        done.state === 'restricted'
          ? `restriction ${done.restriction}: ${done.records} records are gone downstream; the source is as it was\n`
          : `restriction ${done.restriction} is lifted: ${done.rows} rows are read again\n`;
      process.stdout.write(json ? `${JSON.stringify(done)}\n` : text);
    });
}
