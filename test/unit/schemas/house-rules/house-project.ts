import { join } from 'node:path';
import { readProjectFiles } from '../../../../cli/project.ts';
import type { Finding } from '../../../../schemas/finding.ts';
import { goodConfig, goodContract, writeFiles } from '../project-files.ts';

/** `goodContract` with columns of the test's own behind its id. */
export function contractWith(columns: string): string {
  return `${goodContract.slice(0, goodContract.indexOf('  email:'))}${columns}`;
}

/** A project with house rules: its contracts as they are after loading, and findings as `file:line field CODE`. */
export async function project(rules: string, contracts: Readonly<Record<string, string>>) {
  const files = Object.entries(contracts).map(([name, text]) => [`contracts/${name}`, text] as const);
  const folder = await writeFiles({
    'lethe.yaml': `${goodConfig}rules: ./rules.yaml\n`,
    'rules.yaml': rules,
    ...Object.fromEntries(files),
  });
  const loaded = await readProjectFiles(join(folder, 'lethe.yaml'));
  const relative = (text: string) => text.replaceAll(`${folder}/`, '');
  const findings = loaded.findings.map(
    (finding): Finding => ({
      ...finding,
      file: relative(finding.file),
      message: relative(finding.message),
      fix: relative(finding.fix),
    }),
  );
  return {
    contracts: loaded.contracts.map(({ contract }) => contract),
    findings,
    brief: findings.map(({ file, line, field, code }) => `${file}:${line} ${field} ${code}`),
  };
}
