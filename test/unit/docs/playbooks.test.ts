import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { errorCodes } from '../../../schemas/errors.ts';
import { deadLetterCodes, playbookOf, stoppingCodes } from '../../../schemas/playbooks.ts';
import { packageRoot } from '../../../stack/package-root.ts';

const folder = join(packageRoot(), 'docs', 'playbooks');
const codes = [...deadLetterCodes, ...stoppingCodes];
const textOf = (path: string) => readFileSync(join(packageRoot(), path), 'utf8');

it.each(codes)('%s has a playbook that says what to look at and how to mend it', (code) => {
  const text = textOf(playbookOf(code));
  expect(text.startsWith(`# ${code}\n`)).toBe(true);
  const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  const isLetter = (deadLetterCodes as readonly string[]).includes(code);
  expect(headings).toEqual(
    isLetter ? ['Look first', 'Mend', 'Retry', 'Discard'] : ['Look first', 'Mend', 'Afterwards'],
  );
  if (isLetter) expect(text).toMatch(/`lethe dlq (?:retry|discard)/);
});

it('no playbook is without a code, and the index has them all', () => {
  const pages = readdirSync(folder).filter((name) => name !== 'README.md');
  expect(pages.toSorted()).toEqual(codes.map((code) => playbookOf(code).split('/').at(-1)!).toSorted());
  for (const page of pages) expect(textOf('docs/playbooks/README.md')).toContain(`](${page})`);
});

it('the page of error codes leads to them, and the command names one that is there', () => {
  for (const code of codes)
    expect(textOf('docs/errors.md')).toContain(`](${playbookOf(code).slice('docs/'.length)})`);
  for (const code of Object.keys(errorCodes))
    expect(existsSync(join(packageRoot(), playbookOf(code)))).toBe(true);
});
