// npm test: set up, build, lint, check the format, then unit, stack and fault tests; closes with the real counts.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(`${command}: ${error.message}`);
  return status === 0;
}

const counts = { passed: 0, failed: 0, skipped: 0 };

/** A check that is no vitest test counts as one. */
function check(name, ok) {
  console.log(`${ok ? 'ok' : 'FAILED'}  ${name}`);
  counts[ok ? 'passed' : 'failed']++;
}

/** Results of one vitest run; a run that leaves none, or fails beside its tests, is a failure. */
function vitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-test-'));
  const file = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ok = run(bin('vitest'), ['run', ...reporters, ...args]);
  if (existsSync(file)) {
    const results = JSON.parse(readFileSync(file, 'utf8'));
    counts.passed += results.numPassedTests;
    counts.failed += results.numFailedTests;
    counts.skipped += results.numPendingTests + results.numTodoTests;
    if (!ok && results.numFailedTests === 0) check('vitest ended with an error outside its tests', false);
  } else check('vitest left no results', false);
  rmSync(folder, { recursive: true, force: true });
}

const wanted = process.argv.slice(2);
if (run(process.execPath, [join(root, 'scripts', 'setup.mjs')])) {
  if (wanted.length === 0) {
    check('types and build', run(bin('tsc'), ['-p', 'tsconfig.json']));
    check('lint', run(bin('oxlint'), ['--type-aware', '--deny-warnings']));
    check('format', run(bin('biome'), ['format']));
  }
  vitest(wanted);
} else check('setup', false);

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
