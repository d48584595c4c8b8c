import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportContracts } from '../../../cli/odcs-export.ts';
import { importContracts } from '../../../cli/odcs-import.ts';
import { readProjectFiles } from '../../../cli/project.ts';
import { goodConfig, goodContract, writeFiles } from '../schemas/project-files.ts';

const rules = 'defaults:\n  person.contact: { action: encrypt }\n';
const short = goodContract.replace('    action: encrypt\n', '');

async function shop(contracts: Readonly<Record<string, string>>) {
  const folder = await writeFiles({
    'lethe.yaml': `${goodConfig}rules: rules.yaml\n`,
    'rules.yaml': rules,
    ...Object.fromEntries(Object.entries(contracts).map(([name, text]) => [`contracts/${name}`, text])),
  });
  return { folder, config: join(folder, 'lethe.yaml') };
}

const orders = goodContract.replace('public.customers', 'sales.orders');

test('all contracts go out and come back as they are, defaults filled in', async () => {
  const { folder, config } = await shop({ 'a.yaml': short, 'b.yaml': orders });
  const out = join(folder, 'odcs');
  await exportContracts(undefined, { config, all: true, out, offline: true });
  expect((await readdir(out)).sort()).toEqual(['customers.odcs.yaml', 'sales__orders.odcs.yaml']);
  const other = await shop({ '.keep': '' });
  const files = (await readdir(out)).map((name) => join(out, name));
  const printed = await importContracts(files, { config: other.config });
  expect(printed).toMatch(/public\.customers +2 +0 +\S+contracts\/customers\.yaml/);
  const back = await readProjectFiles(other.config);
  expect(back.findings).toEqual([]);
  const before = await readProjectFiles(config);
  expect(back.contracts.map(({ contract }) => contract)).toEqual(
    before.contracts.map(({ contract }) => contract),
  );
});

test('an export without --out is printed, as YAML or JSON, and names no user and no password', async () => {
  const { config } = await shop({ 'a.yaml': short });
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('postgres://app@', 'postgres://app-user:hunter2@'));
  const yaml = await exportContracts('customers', { config, offline: true });
  const json = await exportContracts('public.customers', { config, offline: true, json: true });
  expect(yaml).toMatch(/^apiVersion: v3\.1\.0\nkind: DataContract\nid: shop\.public\.customers\n/);
  expect(JSON.parse(json)).toMatchObject({ contracts: [{ name: 'public.customers' }] });
  expect(yaml + json).not.toMatch(/hunter2|app-user/);
});

test('an export of a table without a contract says which was meant', async () => {
  const { config } = await shop({ 'a.yaml': short });
  await expect(exportContracts('custmers', { config, offline: true })).rejects.toThrow(
    'no contract is for public.custmers. Did you mean public.customers?',
  );
});

test('contracts with a finding are not exported', async () => {
  const { config } = await shop({ 'a.yaml': short.replace('tier: 1', 'tier: 9') });
  await expect(exportContracts(undefined, { config, all: true, offline: true })).rejects.toMatchObject({
    code: 'CONTRACT_INVALID',
  });
});

test.each([
  ['under the same name', { 'customers.yaml': 'table: public.other\n' }],
  ['for the same table under another name, though it be broken', { 'x.yaml': 'table: public.customers\n' }],
  ['that leaves its action to the house', { 'x.yml': short }],
  ['of which nobody can say what table it is for', { 'x.yaml': 'table: [\n' }],
])('an import beside a file %s writes nothing at all', async (_what, present: Record<string, string>) => {
  const { config: from, folder } = await shop({ 'a.yaml': short, 'b.yaml': orders });
  const out = join(folder, 'odcs');
  await exportContracts(undefined, { config: from, all: true, out, offline: true });
  const { config, folder: other } = await shop(present);
  const files = (await readdir(out)).map((name) => join(out, name));
  await expect(importContracts(files, { config })).rejects.toMatchObject({ code: 'ODCS_INVALID' });
  const contracts = join(other, 'contracts');
  expect(await readdir(contracts)).toEqual(Object.keys(present));
  for (const [name, text] of Object.entries(present)) {
    expect(await readFile(join(contracts, name), 'utf8')).toBe(text);
  }
});

test('two files for one table, and one that is not there, are named, each with its place', async () => {
  const { config: from, folder } = await shop({ 'a.yaml': short });
  const file = join(folder, 'a.odcs.yaml');
  await writeFile(file, await exportContracts('customers', { config: from, offline: true }));
  const out = join(folder, 'new');
  const failure = await importContracts([file, file, join(folder, 'none.yaml')], { config: from, out }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    findings: [
      { code: 'DUPLICATE_CONTRACT', file, line: 15, field: 'schema.0' },
      { code: 'FILE_UNREADABLE', file: join(folder, 'none.yaml') },
    ],
  });
  await expect(readdir(out)).rejects.toThrow('ENOENT');
});

test('a folder that cannot be written to is told by its path', async () => {
  const { config, folder } = await shop({ 'a.yaml': short });
  await expect(
    exportContracts('customers', { config, offline: true, out: join(folder, 'lethe.yaml') }),
  ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
