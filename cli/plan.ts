import { Command } from 'commander';
import type { PlannedChange, Resource } from '../pipeline/resource.ts';
import { columnOutcomes } from '../schemas/column-outcome.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { hasErrors } from '../schemas/finding.ts';
import { FindingsError, placeOf } from '../schemas/findings-error.ts';
import { preflight } from './preflight.ts';
import { openProject, type Project } from './project.ts';
import { projectResources } from './resources.ts';
import { renderColumns } from './show-columns.ts';
import { renderTable, type Style } from './table.ts';

/** A resource and what is to be done about it; resources with nothing to do are left out. */
export interface PlannedResource {
  readonly resource: Resource;
  readonly changes: readonly PlannedChange[];
}

interface PlanFlags {
  readonly config: string;
  readonly json?: true;
  readonly rebuild?: true;
  readonly columns?: true;
}

/** Of `--rebuild`, for plan and apply. */
export const rebuildHelp =
  'where a changed contract does not fit index, table or schema: build the next ones beside them';

/** `lethe plan`: what apply would do; exit 1 if something would be refused. */
export function planCommand(): Command {
  return new Command('plan')
    .description('show what apply would change')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--rebuild', rebuildHelp)
    .option('--columns', 'also what becomes of each column: how it is forgotten, what can still be searched')
    .option('--json', 'print the plan as JSON')
    .action(async (flags: PlanFlags) => {
      const project = await openFitProject(flags.config);
      for (const line of warningLines(project)) process.stderr.write(`${line}\n`);
      const { resources, close } = await projectResources(project.config, project.datasets, {
        rebuild: flags.rebuild === true,
      });
      try {
        const plan = await planResources(resources);
        const datasets = flags.columns ? project.datasets : undefined;
        process.stdout.write(flags.json ? planJson(plan, datasets) : planTable(plan));
        if (datasets && !flags.json) process.stdout.write(`\n${renderColumns(datasets)}`);
        if (refusals(plan).length > 0) process.exitCode = 1;
      } finally {
        await close();
      }
    });
}

/** Opens the project and asks every server whether it is fit; throws a FindingsError otherwise. */
export async function openFitProject(configPath: string): Promise<Project> {
  const project = await openProject(configPath);
  const findings = await preflight(project.config, project.document);
  if (hasErrors(findings)) throw new FindingsError('CONFIG_INVALID', findings);
  return { ...project, findings: [...project.findings, ...findings] };
}

/** What may hurt later, a line each. */
export function warningLines({ findings }: Project): string[] {
  return findings
    .filter((finding) => finding.severity === 'warning')
    .map((finding) => `warning ${placeOf(finding)}: ${finding.message} -> ${finding.fix}`);
}

/** Compares every resource; nothing is changed. */
export async function planResources(resources: readonly Resource[]): Promise<PlannedResource[]> {
  const plan: PlannedResource[] = [];
  for (const resource of resources) {
    const changes = await resource.diff();
    if (changes.length > 0) plan.push({ resource, changes });
  }
  return plan;
}

export function refusals(plan: readonly PlannedResource[]): PlannedChange[] {
  return plan.flatMap(({ changes }) => changes.filter((change) => change.action === 'refuse'));
}

/** PLAN_REFUSED with every refusal and its way out. */
export function refusedError(plan: readonly PlannedResource[]): LetheError {
  const refused = refusals(plan);
  const lines = refused.map(({ summary, fix }) => `  ${summary}${fix === undefined ? '' : ` -> ${fix}`}`);
  return new LetheError('PLAN_REFUSED', ['nothing was applied:', ...lines].join('\n'));
}

const styles: Readonly<Record<PlannedChange['action'], Style>> = {
  create: 'green',
  update: 'yellow',
  delete: 'red',
  refuse: 'redBright',
};

function planTable(plan: readonly PlannedResource[]): string {
  if (plan.length === 0) return 'nothing to do\n';
  const rows = plan.flatMap(({ resource, changes }) =>
    changes.map(({ action, summary, fix }) => [
      resource.system,
      { text: action, style: styles[action] },
      `${summary}${fix === undefined ? '' : ` -> ${fix}`}`,
    ]),
  );
  return `${renderTable(['system', 'action', 'what'], rows)}${rows.length} ${rows.length === 1 ? 'change' : 'changes'}\n`;
}

function planJson(plan: readonly PlannedResource[], datasets: readonly Dataset[] | undefined): string {
  const changes = plan.flatMap(({ resource, changes }) =>
    changes.map((change) => ({ system: resource.system, resource: resource.name, ...change })),
  );
  const columns = datasets && { columns: datasets.flatMap(columnOutcomes) };
  return `${JSON.stringify({ changes, ...columns })}\n`;
}
