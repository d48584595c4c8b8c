import type { ColumnRule } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import { type Proposal, unassignedOwner } from './propose-contract.ts';
import type { Sample } from './sample-rows.ts';

/** Words that some reader of YAML takes for something else than a text. */
const reserved = new Set(['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n']);

/** The proposal as the file that a person would write, with the reasons as comments: names, types and counts. */
export function contractYaml(proposal: Proposal, sample: Pick<Sample, 'rows' | 'failure'>): string {
  const { contract, reasons, subjectReason } = proposal;
  const { subject } = contract;
  return [
    `# Proposed by \`lethe suggest\` from ${sourcesOf(sample)}. Whatever is in doubt is protected: read every line.`,
    `table: ${contract.table}`,
    `owner: ${contract.owner}${contract.owner === unassignedOwner ? ' # name who answers for this contract' : ''}`,
    `tier: ${contract.tier}`,
    ...(subject
      ? [`# ${subjectReason}`, `subject: { type: ${subject.type}, ${wayOf(subject)} }`]
      : [`# No subject, so nothing can be encrypted: ${subjectReason}.`]),
    `sinks: [${contract.sinks.join(', ')}]`,
    `staleness: ${contract.staleness}`,
    'columns:',
    ...Object.entries(contract.columns).flatMap(([name, rule]) => [
      `  # ${reasons[name]}`,
      `  ${scalar(name)}: { ${ruleFields(rule)} }`,
    ]),
    '',
  ].join('\n');
}

function wayOf(subject: NonNullable<Contract['subject']>): string {
  return 'key' in subject ? `key: ${scalar(subject.key)}` : `path: [${subject.path.map(scalar).join(', ')}]`;
}

function sourcesOf({ rows, failure }: Pick<Sample, 'rows' | 'failure'>): string {
  if (failure !== undefined) return `names and types alone (no rows: SQLSTATE ${failure})`;
  return rows === 0 ? 'names and types alone' : `names, types and ${rows} sampled rows`;
}

function ruleFields(rule: ColumnRule): string {
  return Object.entries(rule)
    .map(([key, value]) => `${key}: ${flow(value)}`)
    .join(', ');
}

/** Lists and maps come from defaults of the house alone; JSON is YAML too. */
function flow(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return reserved.has(value) ? `'${value}'` : value;
}

/** Plain where that is safe, else quoted; a JSON string is a double-quoted YAML one. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(text) && !reserved.has(text.toLowerCase());
  return isPlain ? text : JSON.stringify(text);
}
