import { Command } from 'commander';
import { ContractHistory } from '../connectors/postgres/contract-history.ts';
import { takeRebuildLock } from '../connectors/postgres/rebuild-lock.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import type { SinkName } from '../schemas/sink-name.ts';
import { withReader } from './dlq/open-mail.ts';
import { namedSink, namedTable } from './named-part.ts';
import { ProgressBar } from './progress-bar.ts';
import { openProject } from './project.ts';
import { generationOf, requireApplied, requireComplete } from './rebuild/complete-topic.ts';
import { freshSnapshot } from './rebuild/fresh-snapshot.ts';
import { type OpenStore, openStore } from './rebuild/open-store.ts';
import {
  type RebuildResult,
  type RebuildStage,
  rebuildStore,
  requireConfirmed,
} from './rebuild/rebuild-store.ts';
import { untilStopped } from './until-stopped.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
  readonly snapshot?: true;
  readonly confirm?: true;
  readonly discard?: true;
}

/** A table of a store that the command is about. */
interface Subject {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly sink: SinkName;
}

/** `lethe rebuild`: index or table anew beside the live one, in its place once it is verified; what it replaced stays until confirmed. */
export function rebuildCommand(): Command {
  const command = new Command('rebuild')
    .description(
      'build index or table of a store anew from the clean topic, beside the live one, and swap them',
    )
    .argument('<sink>', 'elasticsearch or clickhouse')
    .argument('<table>', 'without a schema it is one of public')
    .option('--snapshot', 'have all rows read again first: where the clean topic is not complete')
    .option('--confirm', 'the new one is good: delete what it replaced')
    .option('--discard', 'give up what is built beside and not in place yet')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
  return command.action(async (sinkName: string, tableName: string, flags: Flags) => {
    if ([flags.snapshot, flags.confirm, flags.discard].filter(Boolean).length > 1) {
      command.error('error: one of --snapshot, --confirm and --discard', { exitCode: 2 });
    }
    const { config, datasets } = await openProject(flags.config);
    const dataset = namedTable(datasets, tableName);
    const subject: Subject = { config, dataset, sink: namedSink(dataset, sinkName) };
    if (flags.confirm || flags.discard) {
      const deleted = await alone(subject, () => drop(subject, flags.confirm ? 'kept' : 'building'));
      const { sink } = subject;
      const say = { sink, table: dataset.table, deleted };
      process.stdout.write(flags.json ? `${JSON.stringify(say)}\n` : `${deleted} is deleted\n`);
      return;
    }
    const result = await alone(subject, () => rebuild(subject, flags.snapshot === true));
    const { sink } = subject;
    process.stdout.write(
      flags.json ? `${JSON.stringify({ sink, table: dataset.table, ...result })}\n` : render(subject, result),
    );
  });
}

/** Two at a time would change the places twice. */
async function alone<T>({ config, dataset, sink }: Subject, work: () => Promise<T>): Promise<T> {
  const done = await withSource(config.postgres, async (client) => {
    if (!(await takeRebuildLock(client, config, dataset.table, sink))) {
      throw new LetheError('PLAN_REFUSED', `another command is rebuilding ${dataset.table} in ${sink}`, {
        fix: 'Wait for it: `lethe status` names what stands beside.',
      });
    }
    // What fails in there is not the source's doing.
    return work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
  });
  if ('error' in done) throw done.error;
  return done.value;
}

async function rebuild(subject: Subject, isFresh: boolean): Promise<RebuildResult> {
  const { config, dataset } = subject;
  const bar = new ProgressBar();
  const history = new ContractHistory(config);
  try {
    return await withReader(config, async (reader) => {
      const { generation } = await requireApplied(config, dataset);
      return withStore(subject, generation, async (store) => {
        await requireConfirmed(dataset, store.copy);
        if (isFresh) {
          bar.stage('reading all rows again');
          await freshSnapshot(config, dataset);
        }
        await requireComplete(config, dataset, reader, isFresh);
        return untilStopped((signal) =>
          rebuildStore({
            config,
            dataset,
            store,
            reader,
            history,
            signal,
            onStage: (stage) => bar.stage(stages[stage]),
            onProgress: (done, total) => bar.progress(done, total),
          }),
        );
      });
    });
  } finally {
    bar.end();
    await history.close();
  }
}

const stages: Readonly<Record<RebuildStage, string>> = {
  fill: 'filling the new one',
  verify: 'verifying it',
  swap: 'changing places',
  finish: 'reading what came last',
};

/** Deletes what is beside, if it is in this state; also where the contract has changed since, which is not applied before. */
async function drop(subject: Subject, wanted: 'kept' | 'building'): Promise<string> {
  const { config, dataset } = subject;
  const generation = await generationOf(config, dataset);
  return withStore(subject, generation, async ({ copy }) => {
    const [state, beside] = [await copy.state(), await copy.beside()];
    if (state !== wanted || beside === undefined) throw notThere(subject, wanted, state);
    await copy.drop();
    if (wanted === 'building') await copy.release();
    return beside;
  });
}

async function withStore<T>(
  { config, dataset, sink }: Subject,
  generation: number,
  use: (store: OpenStore) => Promise<T>,
): Promise<T> {
  const store = openStore(config, sink, dataset, generation);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function notThere({ dataset, sink }: Subject, wanted: 'kept' | 'building', state: string): LetheError {
  const run = `\`lethe rebuild ${sink} ${dataset.table}\``;
  const what = wanted === 'kept' ? 'was replaced' : 'is being built';
  const fixes: Readonly<Record<string, string>> = {
    none: 'There is nothing to do.',
    building: `Run ${run} again, which goes on, or with --discard.`,
    swapped: `Run ${run} again, which finishes it.`,
    kept: `What readers see is the new one already: run ${run} with --confirm.`,
  };
  return new LetheError('PLAN_REFUSED', `nothing of ${dataset.table} in ${sink} ${what}`, {
    fix: fixes[state]!,
  });
}

function render({ dataset, sink }: Subject, { rows, kept, ...counts }: RebuildResult): string {
  const read = `${counts.read.toLocaleString('en')} records read`;
  const rejected = counts.rejected === 0 ? '' : `, ${counts.rejected} rejected: see \`lethe dlq list\``;
  const has = rows === undefined ? '' : `, ${rows.toLocaleString('en')} rows verified`;
  return (
    `${dataset.table} in ${sink} is rebuilt: ${read}${has}${rejected}\n` +
    `${kept} is kept: \`lethe rebuild ${sink} ${dataset.table} --confirm\` deletes it\n`
  );
}
