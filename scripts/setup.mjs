// Makes a fresh checkout ready to run: dependencies and build. Plain JavaScript without dependencies, since
// it runs before there are any. Does nothing, in about a second, when nothing is to do.
// usage: node scripts/setup.mjs [--quiet]
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quiet = process.argv.includes('--quiet');

checkNode();
if (!dependenciesMatch()) installDependencies();
build();
say('ready: node dist/cli/main.js --help');

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Node ${process.versions.node} is too old: 20.19 or newer is needed`,
    'install a newer one, for example with `nvm install 24`',
  );
}

/**
 * Whether node_modules is what package-lock.json asks for. npm writes what it installed at the very end of an
 * install, so an interrupted one does not match. Optional packages are those of other platforms.
 */
function dependenciesMatch() {
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  const wanted = readLock(join(root, 'package-lock.json'));
  if (wanted === undefined)
    fail('package-lock.json is missing or broken', 'restore it: `git checkout package-lock.json`');
  if (installed === undefined) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true;
    const present = installed.packages[path];
    if (present === undefined) return entry.optional === true || entry.devOptional === true;
    return present.version === entry.version && present.integrity === entry.integrity;
  });
}

function readLock(path) {
  try {
    const lock = JSON.parse(readFileSync(path, 'utf8'));
    return typeof lock.packages === 'object' ? lock : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What the lock file says, and nothing into it. Not `npm ci`: it refuses a lock whose optional packages are those of fewer
 * platforms than the registry in use knows, which some mirrors bring about.
 */
function installDependencies() {
  process.stderr.write('installing dependencies with `npm install` …\n');
  run(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    '`npm install` failed',
    'check the network and the registry that npm is set up to use, then run the command again',
  );
}

function build() {
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  if (!existsSync(compiler))
    fail('the TypeScript compiler is missing', 'run `npm install` without --omit=dev');
  say('building …');
  run(compiler, ['-p', 'tsconfig.json'], 'the build failed', 'see the compiler’s messages above');
  chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755);
}

/** Runs a tool in silence, and shows all it said when it fails. */
function run(command, args, problem, fix) {
  const ended = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (ended.error?.code === 'ENOENT') fail(`${command} was not found`, 'install Node with npm');
  if (ended.status === 0) return;
  process.stderr.write(`${ended.stdout ?? ''}${ended.stderr ?? ''}`);
  fail(problem, fix);
}

function say(text) {
  if (!quiet) process.stderr.write(`${text}\n`);
}

function fail(problem, fix) {
  process.stderr.write(`error SETUP: ${problem}\nfix: ${fix}\n`);
  process.exit(1);
}
