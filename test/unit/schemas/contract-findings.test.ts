import { actionNames } from '../../../schemas/column-rule.ts';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadContracts } from '../../../schemas/load-contracts.ts';
import { goodContract, writeFiles } from './project-files.ts';

async function load(files: Record<string, string>) {
  const folder = join(await writeFiles({ 'contracts/.keep': '', ...mapKeys(files) }), 'contracts');
  const loaded = await loadContracts(folder);
  return {
    ...loaded,
    folder,
    brief: loaded.findings.map(
      ({ file, line, field, code }) => `${file.slice(folder.length + 1)}:${line} ${field} ${code}`,
    ),
  };
}

const mapKeys = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`contracts/${name}`, text]));

test('a good contract loads with the places of its fields', async () => {
  const { contracts, findings } = await load({ 'customers.yaml': goodContract });
  expect(findings).toEqual([]);
  expect(contracts[0]?.contract.columns['email']).toEqual({
    classification: 'person.contact',
    action: 'encrypt',
  });
  expect(contracts[0]?.document.valueAt(['columns', 'email', 'action'])).toEqual({ line: 13, column: 13 });
});

test('an unknown action names file, line, field and what was meant', async () => {
  const { findings, brief } = await load({ 'customers.yaml': goodContract.replace('encrypt', 'encrpyt') });
  expect(brief).toEqual(['customers.yaml:13 columns.email.action UNKNOWN_VALUE']);
  expect(findings[0]?.message).toContain('Did you mean encrypt?');
  expect(findings[0]?.fix).toBe(`Use one of: ${actionNames.join(', ')}.`);
});

test('a parameter of another action is refused, with the parameters of this one', async () => {
  const { findings, brief } = await load({
    'customers.yaml': goodContract.replace(
      'action: encrypt',
      'action: hash\n    domian: mail\n    keepEnd: 4',
    ),
  });
  expect(brief).toEqual([
    'customers.yaml:14 columns.email.domian UNKNOWN_KEY',
    'customers.yaml:15 columns.email.keepEnd UNKNOWN_KEY',
  ]);
  expect(findings[0]?.message).toContain('Did you mean domain?');
  expect(findings[1]?.fix).toBe('Use one of: classification, sinks, searchable, action, domain, under.');
});

test('a missing action lists the actions; a missing tier says so', async () => {
  const { findings, brief } = await load({
    'customers.yaml': goodContract.replace('    action: encrypt\n', '').replace('tier: 1\n', ''),
  });
  expect(brief).toEqual([
    'customers.yaml:1 tier MISSING_KEY',
    'customers.yaml:10 columns.email.action MISSING_KEY',
  ]);
  expect(findings[1]?.fix).toContain('keep, drop, null');
});

test('a wrong tier lists the tiers', async () => {
  const { findings, brief } = await load({ 'customers.yaml': goodContract.replace('tier: 1', 'tier: 3') });
  expect(brief).toEqual(['customers.yaml:3 tier UNKNOWN_VALUE']);
  expect(findings[0]?.fix).toBe('Use one of: 0, 1, 2.');
});

test("YAML's null is the action of that name where the word is written, and nothing where nothing is", async () => {
  const written = await load({ 'customers.yaml': goodContract.replace('action: encrypt', 'action: null') });
  expect(written.contracts[0]?.contract.columns['email']?.action).toBe('null');
  const paths = 'action: paths\n    paths: { born: { action: null } }';
  const within = await load({ 'customers.yaml': goodContract.replace('action: encrypt', paths) });
  expect(within.contracts[0]?.contract.columns['email']).toMatchObject({
    paths: { born: { action: 'null' } },
  });
  const empty = await load({ 'customers.yaml': goodContract.replace('action: encrypt', 'action:') });
  expect(empty.brief).toEqual(['customers.yaml:13 columns.email.action UNKNOWN_VALUE']);
});

test('a column without a rule is refused', async () => {
  const { brief } = await load({ 'customers.yaml': `${goodContract}  phone:\n` });
  expect(brief).toEqual(['customers.yaml:14 columns.phone WRONG_TYPE']);
});

test('two contracts for one table: the second names the first', async () => {
  const { findings, brief, folder } = await load({ 'a.yaml': goodContract, 'b.yml': `\n${goodContract}` });
  expect(brief).toEqual(['b.yml:2 table DUPLICATE_CONTRACT']);
  expect(findings[0]?.message).toContain(`${folder}/a.yaml:1`);
});

test('no contracts at all, or no folder, is a finding', async () => {
  expect((await load({})).brief).toEqual([':1  NO_CONTRACTS']);
  expect((await loadContracts('/nonexistent/contracts')).findings).toMatchObject([
    { code: 'FILE_UNREADABLE' },
  ]);
});

test('one broken contract does not hide the findings of the others', async () => {
  const { brief, contracts } = await load({
    'a.yaml': 'table: [\n',
    'b.yaml': goodContract.replace('owner: crm', 'owner: 7'),
    'c.yaml': goodContract,
    'd.yaml': `${goodContract}---\n${goodContract}`,
  });
  expect(brief).toEqual([
    expect.stringMatching(/^a.yaml:\d {2}YAML_SYNTAX$/),
    'b.yaml:2 owner WRONG_TYPE',
    expect.stringMatching(/^d.yaml:14 {2}YAML_SYNTAX$/),
  ]);
  expect(contracts).toHaveLength(1);
});
