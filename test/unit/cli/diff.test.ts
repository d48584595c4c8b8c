import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { diffCommand, diffContracts } from '../../../cli/diff.ts';

const customers = `table: public.customers
owner: crm
tier: 1
subject: { type: customer, key: id }
sinks: []
staleness: 30s
columns:
  id: { classification: person.id, action: keep }
  email: { classification: person.contact, action: encrypt }
`;
const exposed = customers.replace('encrypt', 'keep');
const becomesReadable = {
  table: 'public.customers',
  column: 'email',
  severity: 'exposes',
  from: 'encrypt',
  to: 'keep',
  sentence: 'email becomes readable to consumers of shop.clean.public.customers (was encrypt)',
};

let root: string;
/** A project below the root of a repository, as in a monorepo. */
let folder: string;
let config: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lethe-diff-'));
  folder = join(root, 'services', 'shop');
  mkdirSync(join(folder, 'contracts'), { recursive: true });
  config = join(folder, 'lethe.yaml');
  // Of servers and their secrets nothing is needed.
  writeFileSync(config, 'name: shop\npostgres: { url: "${env:NOWHERE_SET}" }\ntopics: { prefix: shop. }\n');
  write('customers.yaml', customers);
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(folder, 'contracts', name), text);
}

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t.example', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...args], {
    cwd: root,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: root, GIT_CONFIG_NOSYSTEM: '1' },
  });
}

function commit(): void {
  git('add', '-A');
  git('commit', '-q', '-m', 'contracts');
}

function diff(against = 'HEAD') {
  return diffContracts(config, { against });
}

/** Standard output and exit code of the command. */
async function run(...args: string[]): Promise<{ out: string; code: unknown }> {
  let out = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const before = process.exitCode;
  onTestFinished(() => void (process.exitCode = before));
  process.exitCode = 0;
  try {
    await diffCommand().parseAsync(['-c', config, ...args], { from: 'user' });
    return { out, code: process.exitCode };
  } finally {
    write.mockRestore();
  }
}

describe('against a git ref', () => {
  beforeEach(() => {
    git('init', '-q', '-b', 'main');
    commit();
  });

  it('tells what the files say otherwise than the last commit, and than any other', async () => {
    expect(await diff()).toEqual([]);
    write('customers.yaml', exposed);
    expect((await diff())[0]).toEqual(becomesReadable);
    git('switch', '-q', '-c', 'change');
    commit();
    expect(await diff()).toEqual([]);
    expect((await diff('main'))[0]).toEqual(becomesReadable);
    expect((await diff('change~1'))[0]).toEqual(becomesReadable);
  });

  it('takes the folder that lethe.yaml named then, and a folder that was not there for no contracts', async () => {
    git('mv', 'services/shop/contracts', 'services/shop/rules');
    writeFileSync(config, 'name: shop\ncontracts: rules\ntopics: { prefix: shop. }\n');
    expect(await diff()).toEqual([]);
    rmSync(join(root, '.git'), { recursive: true });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'nothing');
    expect((await diff())[0]).toMatchObject({ severity: 'exposes', from: null, to: 'public.customers' });
  });

  it('reads each side under the house rules of its own lethe.yaml', async () => {
    const rules = join(folder, 'rules.yaml');
    const withRules = 'name: shop\nrules: rules.yaml\ntopics: { prefix: shop. }\n';
    writeFileSync(config, withRules);
    writeFileSync(rules, 'defaults: { person.contact: { action: encrypt } }\n');
    write('customers.yaml', customers.replace(', action: encrypt', ''));
    // An action of the house's is one like another.
    expect(await diff()).toEqual([]);
    commit();
    writeFileSync(rules, 'defaults: { person.contact: { action: keep } }\n');
    expect((await diff())[0]).toEqual(becomesReadable);
    const other = join(root, 'before');
    mkdirSync(other);
    writeFileSync(join(other, 'a.yaml'), customers.replace(', action: encrypt', ''));
    expect(await diffContracts(config, { against: 'HEAD', from: other })).toEqual([]);
  });

  it('refuses house rules that cannot be read, on either side, and blames no contract that leans on them', async () => {
    writeFileSync(config, 'name: shop\nrules: rules.yaml\ntopics: { prefix: shop. }\n');
    write('customers.yaml', customers.replace(', action: encrypt', ''));
    await expect(diff()).rejects.toMatchObject({
      findings: [{ code: 'FILE_UNREADABLE', file: join(folder, 'rules.yaml') }],
    });
    commit();
    writeFileSync(join(folder, 'rules.yaml'), 'defaults: { person.contact: { action: encrypt } }\n');
    await expect(diff()).rejects.toMatchObject({
      findings: [{ code: 'FILE_UNREADABLE', file: 'HEAD:services/shop/rules.yaml' }],
    });
  });

  it('speaks of the table where the prefix of topics is not known', async () => {
    rmSync(config);
    write('customers.yaml', exposed);
    expect((await diff())[0]?.sentence).toBe(
      'email becomes readable to consumers of public.customers (was encrypt)',
    );
  });

  it('ends with 1 only where that was asked for and something is exposed', async () => {
    expect(await run('--fail-on', 'exposes')).toEqual({ out: 'no difference from HEAD\n', code: 0 });
    write('customers.yaml', customers.replace('owner: crm', 'owner: sales'));
    expect((await run('--fail-on', 'exposes')).code).toBe(0);
    expect((await run('--fail-on', 'changes')).code).toBe(1);
    write('customers.yaml', exposed);
    expect((await run()).code).toBe(0);
    const { out, code } = await run('--fail-on', 'exposes', '--json');
    expect(code).toBe(1);
    expect((JSON.parse(out) as { changes: unknown[] }).changes[0]).toEqual(becomesReadable);
    expect((await run()).out).toBe(
      [
        'public.customers',
        'exposes           email becomes readable to consumers of shop.clean.public.customers (was encrypt)',
        'changes           the field email changes its type from bytes (ciphertext) to that of the source',
        '',
        '1 exposes, 1 changes, 0 protects, compared with HEAD',
        '',
      ].join('\n'),
    );
  });

  it.each(['nowhere', '--all', 'HEAD~7', 'HEAD:services'])('refuses the ref %s', async (ref) => {
    await expect(diff(ref)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `git knows no commit ${ref}`,
    });
  });

  it('names the place of what is wrong, on either side', async () => {
    write('customers.yaml', customers.replace('encrypt', 'encrpyt'));
    await expect(diff()).rejects.toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringContaining(
        `${join(folder, 'contracts', 'customers.yaml')}:9 columns.email.action`,
      ),
    });
    commit();
    write('customers.yaml', customers);
    await expect(diff()).rejects.toMatchObject({
      code: 'CONTRACT_INVALID',
      message: expect.stringContaining('HEAD:services/shop/contracts/customers.yaml:9 columns.email.action'),
    });
    write(
      'customers.yaml',
      `${customers}  doc: { classification: internal, action: paths, paths: { a.**: { action: drop } } }\n`,
    );
    await expect(diff('HEAD~1')).rejects.toMatchObject({ code: 'CONTRACT_INVALID' });
  });
});

describe('from a folder', () => {
  it('needs no repository', async () => {
    const other = join(root, 'before');
    mkdirSync(other);
    writeFileSync(join(other, 'a.yaml'), customers);
    write('customers.yaml', exposed);
    expect((await diffContracts(config, { against: 'HEAD', from: other }))[0]).toEqual(becomesReadable);
    await expect(diffContracts(config, { against: 'HEAD', from: join(root, 'none') })).rejects.toMatchObject({
      findings: [{ code: 'FILE_UNREADABLE' }],
    });
  });

  it('is the way out where there is no repository', async () => {
    await expect(diff()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('does not lie in a git repository'),
      fix: expect.stringContaining('--from'),
    });
  });
});
