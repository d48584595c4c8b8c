// Writes the files that are made from the code: JSON Schemas for editors, the page of error codes, the table of actions by type.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const run = (tool, args) =>
  spawnSync(join(root, 'node_modules', '.bin', tool), args, { cwd: root, stdio: 'inherit' }).status === 0;

if (run('tsc', ['-p', 'tsconfig.json'])) {
  const { generatedFiles } = await import(join(root, 'dist', 'schemas', 'generated-files.js'));
  const files = [...generatedFiles((path) => readFileSync(join(root, path), 'utf8'))];
  for (const [path, text] of files) {
    writeFileSync(join(root, path), text);
    console.log(path);
  }
  run('biome', [
    'format',
    '--write',
    ...files.map(([path]) => path).filter((path) => path.endsWith('.json')),
  ]);
} else process.exitCode = 1;
