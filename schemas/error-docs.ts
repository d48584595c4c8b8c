import { type ErrorCode, errorCodes, isRetriable } from './errors.ts';
import { findingCodes } from './finding.ts';
import { hasPlaybook, playbookOf } from './playbooks.ts';

/** The page of all error codes, as Markdown. */
export function errorDocs(): string {
  const errors = (Object.keys(errorCodes) as ErrorCode[]).map((code) => {
    const { cause, action } = errorCodes[code];
    const name = hasPlaybook(code)
      ? `[\`${code}\`](${playbookOf(code).replace('docs/', '')})`
      : `\`${code}\``;
    return `| ${name} | ${cause} | ${action} | ${isRetriable(code) ? 'yes' : 'no'} |`;
  });
  const findings = Object.entries(findingCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return [
    '# Error codes',
    '',
    'Generated from `schemas/errors.ts` and `schemas/finding.ts` by `node scripts/generate.mjs`.',
    '',
    'An error names its code, the place (file, line and field, or server) and the way out. It never holds a value of a row, a key or a password.',
    '',
    '## Errors',
    '',
    'A code that a record becomes a dead letter with, or at which a table waits, leads to its [playbook](playbooks/README.md). What is retried is retried with growing pauses for as long as it takes, and said once.',
    '',
    '| code | cause | what to do | retried |',
    '|---|---|---|---|',
    ...errors,
    '',
    '## Findings of `lethe check`',
    '',
    'Besides these, a finding may have a code from above when a server is at fault.',
    '',
    '| code | meaning |',
    '|---|---|',
    ...findings,
    '',
  ].join('\n');
}
