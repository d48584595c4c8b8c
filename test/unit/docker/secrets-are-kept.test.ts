import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot, projectText } from '../../support/project-tree.ts';
import { writeFiles } from '../schemas/project-files.ts';
import { readCompose } from './compose-file.ts';

function makeSecrets(folder: string): string {
  const script = join(projectRoot, 'docker', 'make-secrets.mjs');
  return execFileSync(process.execPath, [script, folder], { encoding: 'utf8' });
}

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

it('makes every secret that compose.yaml names, for its owner alone, and says none', async () => {
  const folder = await writeFiles({});
  const said = makeSecrets(folder);
  const made = contents(folder);
  const named = Object.values(readCompose().secrets);
  expect(Object.keys(made).sort()).toEqual(named.map((file) => basename(file)).sort());
  for (const [name, secret] of Object.entries(made)) {
    expect(said, name).not.toContain(secret);
    if (!name.includes('.')) expect(secret).toMatch(/^[\w+/=-]{32,}$/);
    // Containers read them as users of their own; on this machine nobody else enters the folder.
    expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o444);
  }
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

it('never changes a secret that is there, and lets what follows from it follow', async () => {
  const folder = await writeFiles({ clickhouse_password: 'chosen by hand' });
  makeSecrets(folder);
  const first = contents(folder);
  expect(first['clickhouse_password']).toBe('chosen by hand');
  expect(first['clickhouse_users.xml']).toContain(
    createHash('sha256').update('chosen by hand').digest('hex'),
  );
  makeSecrets(folder);
  expect(contents(folder)).toEqual(first);
});

it('keeps them out of version control and out of the images', () => {
  expect(projectText('docker/.gitignore').split('\n')).toContain('secrets/');
  const context = projectText('.dockerignore').split('\n');
  expect(context.filter((line) => /^[^#]/.test(line))[0]).toBe('*');
  expect(context.filter((line) => line.startsWith('!docker'))).toEqual(['!docker/connect']);
});
