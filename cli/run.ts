import { Command, InvalidArgumentError } from 'commander';
import { createLog } from '../pipeline/log.ts';
import { type Component, components, startPipeline } from './pipeline.ts';
import { refuseKeysBesideSource, requireKeyStore } from './keys-place.ts';
import { openProject } from './project.ts';

/** Longest wait for a clean stop; then the process ends and the next start takes up what was not committed. */
const stopLimitMs = 9_000;

/** `lethe run`: the processors, until SIGTERM or SIGINT. */
export function runCommand(): Command {
  return new Command('run')
    .description('run the processors: transform and sinks, until stopped')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--only <components>', `comma-separated: ${components.join(', ')}`, parseOnly, [...components])
    .action(async (options: { config: string; only: Component[] }) => {
      const log = createLog();
      const stop = stopSignal();
      const project = await openProject(options.config);
      await requireKeyStore(project.config);
      await refuseKeysBesideSource(project.config);
      const pipeline = await startPipeline(project.config, project.datasets, options.only, log);
      log.info({ components: options.only, tables: project.datasets.length }, 'running');
      const signal = await stop;
      log.info({ signal }, 'stopping');
      const limit = setTimeout(() => {
        log.error(
          { stopLimitMs },
          'did not stop in time; what was not committed is done again at the next start',
        );
        process.exit(1);
      }, stopLimitMs);
      await pipeline.stop();
      clearTimeout(limit);
      log.info({ counts: pipeline.counters.toJSON() }, 'stopped');
      // After a broker was away kafkajs may keep a connection that no client knows any more; it would hold the process.
      process.exit();
    });
}

function parseOnly(text: string): Component[] {
  const named = text.split(',').map((s) => s.trim());
  const unknown = named.find((n) => !(components as readonly string[]).includes(n));
  if (unknown !== undefined) throw new InvalidArgumentError(`${unknown} is none of ${components.join(', ')}`);
  return named as Component[];
}

function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}
