import { Command } from 'commander';
import type { Resource } from '../pipeline/resource.ts';
import {
  openFitProject,
  type PlannedResource,
  planResources,
  rebuildHelp,
  refusals,
  refusedError,
  warningLines,
} from './plan.ts';
import { projectResources } from './resources.ts';

interface ApplyFlags {
  readonly config: string;
  readonly json?: true;
  readonly rebuild?: true;
}

/** `lethe apply`: makes everything as planned; run again it does nothing. */
export function applyCommand(): Command {
  return new Command('apply')
    .description('make publication, topics, schemas, stores and connector what the contracts ask for')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--rebuild', rebuildHelp)
    .option('--json', 'print what was done as JSON')
    .action(async (flags: ApplyFlags) => {
      const say = (line: string) => process.stderr.write(`${line}\n`);
      const applied = await applyProject(flags.config, { say, rebuild: flags.rebuild === true });
      const changes = applied.flatMap(({ resource, changes }) =>
        changes.map((change) => ({ system: resource.system, resource: resource.name, ...change })),
      );
      if (flags.json) process.stdout.write(`${JSON.stringify({ applied: changes })}\n`);
      else
        process.stdout.write(
          changes.length === 0 ? 'nothing to do\n' : `${changes.length} changes applied\n`,
        );
    });
}

/** Applies a project; `say` gets a line for each step. A refusal anywhere stops it before the first change. */
export async function applyProject(
  configPath: string,
  { say = () => {}, rebuild = false }: { say?: (line: string) => void; rebuild?: boolean } = {},
): Promise<readonly PlannedResource[]> {
  const project = await openFitProject(configPath);
  for (const line of warningLines(project)) say(line);
  const { config, datasets } = project;
  const { resources, close } = await projectResources(config, datasets, { rebuild });
  try {
    return await applyResources(resources, say);
  } finally {
    await close();
  }
}

async function applyResources(
  resources: readonly Resource[],
  say: (line: string) => void,
): Promise<readonly PlannedResource[]> {
  const plan = await planResources(resources);
  if (refusals(plan).length > 0) throw refusedError(plan);
  for (const { resource, changes } of plan) {
    for (const { action, summary } of changes) say(`${resource.system}: ${action} ${summary}`);
    await resource.apply(changes);
  }
  return plan;
}
