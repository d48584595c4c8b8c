import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkProject } from '../../cli/check.ts';
import { canaryMark } from '../../examples/beancart/canaries.ts';
import { protectedColumns } from '../../examples/beancart/protected-columns.ts';
import { loadSample, loadSchema } from '../../examples/beancart/sample.ts';
import type { Contract } from '../../schemas/contract.ts';
import { hasErrors } from '../../schemas/finding.ts';
import { chinookSql, loadChinook } from '../chinook/load.ts';
import { LetheProject } from '../support/lethe-project.ts';
import { projectText } from '../support/project-tree.ts';
import { acquireStack } from '../support/stack.ts';

interface Listed {
  readonly table: string;
  readonly contract?: Contract;
  readonly reasons?: Record<string, string>;
  readonly refused?: string;
}

/** A project without a contract, on a database that `load` fills. */
async function projectWith(load: (client: Client) => Promise<unknown>): Promise<LetheProject> {
  const project = await LetheProject.create(await acquireStack(), { schema: 'select 1', contracts: {} });
  onTestFinished(() => project.drop());
  const client = new Client({ connectionString: project.source.url });
  await client.connect();
  try {
    await load(client);
  } finally {
    await client.end();
  }
  return project;
}

/** What is proposed for all tables, by table, and everything that was printed. */
async function suggestAll(project: LetheProject, ...args: string[]) {
  const { code, stdout, stderr } = await project.lethe('suggest', '--all', '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { contracts } = JSON.parse(stdout) as { contracts: Listed[] };
  return { printed: stdout, byTable: new Map(contracts.map((listed) => [listed.table, listed])) };
}

async function errorsOfCheck(project: LetheProject): Promise<unknown[]> {
  const findings = await checkProject(join(project.folder, 'lethe.yaml'), false);
  return hasErrors(findings) ? findings.filter((finding) => finding.severity === 'error') : [];
}

async function written(project: LetheProject): Promise<string> {
  const folder = join(project.folder, 'contracts');
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

describe('what is proposed for BeanCart', () => {
  it('passes the check, shows no value and protects every column that people protected', async () => {
    const project = await projectWith(async (client) => {
      await loadSchema(client);
      await loadSample(client, { customers: 600, seed: 5 });
    });
    const { byTable, printed } = await suggestAll(project, '--write');
    expect(byTable.size).toBe(9);
    expect(await errorsOfCheck(project)).toEqual([]);
    expect(printed + (await written(project))).not.toContain(canaryMark);

    const misses = protectedColumns
      .filter(({ table, column }) => {
        const { contract } = byTable.get(`public.${table}`)!;
        return contract!.columns[column]!.action === 'keep';
      })
      .map(({ table, column }) => `${table}.${column}`);
    expect(misses).toEqual([]);

    // And not by protecting everything: what the shop counts and joins with stays.
    const kept = [...byTable.values()].flatMap(({ table, contract }) =>
      Object.entries(contract!.columns)
        .filter(([, rule]) => rule.action === 'keep')
        .map(([column]) => `${table}.${column}`.replace('public.', '')),
    );
    for (const column of [
      'customers.id',
      'customers.status',
      'orders.total',
      'orders.customer_id',
      'orders.currency',
    ]) {
      expect(kept).toContain(column);
    }
  });

  it('from names and types alone protects them as well', async () => {
    const project = await projectWith(loadSchema);
    const { byTable } = await suggestAll(project, '--sample', '0');
    const misses = protectedColumns.filter(
      ({ table, column }) => byTable.get(`public.${table}`)!.contract!.columns[column]!.action === 'keep',
    );
    expect(misses).toEqual([]);
  });
});

it.skipIf(!existsSync(chinookSql))('what is proposed for Chinook passes the check', async () => {
  const project = await projectWith((client) => loadChinook(client, chinookSql));
  const { byTable } = await suggestAll(project, '--write');
  expect([...byTable.values()].filter(({ refused }) => refused !== undefined)).toEqual([]);
  expect(byTable.size).toBe(11);
  expect(await errorsOfCheck(project)).toEqual([]);
  expect(byTable.get('public.invoice')!.contract!.subject).toEqual({ type: 'customer', key: 'customer_id' });
  const text = await written(project);
  for (const value of ['luisg@embraer.com.br', 'Embraer', 'Jailhouse', 'Leonie', '+55 (12) 3923-5555']) {
    expect(text).not.toContain(value);
  }
});

describe('a database as they are', () => {
  const load = async (client: Client): Promise<unknown> =>
    client.query(projectText('test/fixtures/nasty/schema.sql'));

  it('is covered table by table, or refused with the reason', async () => {
    const project = await projectWith(load);
    const { byTable, printed } = await suggestAll(project, '--write');
    expect(await errorsOfCheck(project)).toEqual([]);
    expect(printed + (await written(project))).not.toMatch(
      /zq[a-z]*\d|canary\.example|DE8937|4111|203\.0\.113/i,
    );

    const refused = [...byTable.values()].filter(({ refused }) => refused !== undefined);
    expect(Object.fromEntries(refused.map(({ table, refused }) => [table, refused]))).toEqual({
      'public.no_key': expect.stringContaining('no primary key'),
      'public.late_key': expect.stringContaining('deferrable'),
      'public.moment_key': expect.stringContaining('no one canonical text'),
      'public.unlogged_one': expect.stringContaining('unlogged'),
      'public.bad name': expect.stringContaining('letters, digits and _'),
      'public.a.b': expect.stringContaining('letters, digits and _'),
      'public.measurements': expect.stringContaining('partitioned'),
      'public.people': expect.stringContaining('a view'),
      'public.counted': expect.stringContaining('materialized view'),
    });
    expect([...byTable.keys()].filter((table) => table.startsWith('lethe'))).toEqual([]);
    expect(byTable.get('public.measurements_2026')?.contract).toBeDefined();

    const kunden = byTable.get('Verkauf.Kunden')!.contract!;
    expect(kunden.subject).toEqual({ type: 'customer', key: 'KundenNr' });
    const actionsOf = (contract: Contract): Record<string, string> =>
      Object.fromEntries(Object.entries(contract.columns).map(([name, rule]) => [name, rule.action]));
    expect(actionsOf(kunden)).toEqual({
      KundenNr: 'keep',
      Vorname: 'encrypt',
      Nachname: 'encrypt',
      'E-Mail': 'drop',
      Straße: 'drop',
      Geburtsdatum: 'encrypt',
      Handynummer: 'encrypt',
      Email: 'encrypt',
      email: 'drop',
      Ampel: 'keep',
      null: 'drop',
      angelegt_am: 'keep',
      letzterBesuch: 'generalise',
      Größe: 'drop',
    });
    expect(actionsOf(byTable.get('Verkauf.Bestellungen')!.contract!)).toEqual({
      BestellNr: 'keep',
      Kunde: 'keep',
      payload: 'encrypt',
      labels: 'encrypt',
      numbers: 'keep',
      x1: 'encrypt',
      x2: 'encrypt',
      x3: 'null',
      x4: 'drop',
      status: 'keep',
      period: 'drop',
      amount: 'drop',
      lieferung: 'encrypt',
      weights: 'drop',
      domain: 'encrypt',
      twice: 'drop',
    });
    const domain = { action: 'hash', domain: 'logins-mail-address' };
    expect(byTable.get('public.logins')!.contract!.columns['mail_address']).toMatchObject(domain);
    expect(byTable.get('public.login_events')!.contract!.columns['who']).toMatchObject(domain);
    // No call was made yet: that the number is a phone's is seen where it refers to.
    const line = { action: 'hash', domain: 'lines-number' };
    expect(byTable.get('public.lines')!.contract!.columns['number']).toMatchObject(line);
    expect(byTable.get('public.calls')!.contract!.columns['number']).toMatchObject(line);
    expect((await project.lethe('suggest', 'calls')).stdout).toContain('action: hash, domain: lines-number');
    expect(actionsOf(byTable.get('public.empty_one')!.contract!)).toEqual({
      id: 'keep',
      label: 'drop',
      code: 'drop',
    });
  });

  it('is never written over, and says what was left', async () => {
    const project = await projectWith(load);
    const own = `table: public.logins\nowner: me\ntier: 1\nsinks: []\nstaleness: 1m\ncolumns:\n  mail_address: { classification: person.contact, action: hash }\n`;
    await project.writeContract('mine.yaml', own);
    await project.writeContract(
      'empty_one.yaml',
      own.replace('public.logins', 'public.login_events').replace('mail_address', 'id'),
    );
    const first = await project.lethe('suggest', '--all', '--write');
    expect(first.code).toBe(0);
    expect(first.stdout).toContain(
      'left contracts/logins.yaml: the table has a contract already, in contracts/mine.yaml',
    );
    expect(first.stdout).toContain('left contracts/empty_one.yaml: the file is there already');
    expect(first.stdout).toContain('wrote contracts/Verkauf.Kunden.yaml');
    const before = await written(project);
    const again = await project.lethe('suggest', '--all', '--write');
    expect(again.stdout).not.toContain('wrote');
    expect(await written(project)).toBe(before);
    await project.writeContract('mine.yaml', 'table: public.');
    expect(await project.lethe('suggest', '--all', '--write')).toMatchObject({ code: 1, stdout: '' });
  });

  it('is answered for a single table: its contract, or exit 1 and the reason', async () => {
    const project = await projectWith(load);
    const one = await project.lethe('suggest', 'logins');
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).toMatch(
      /^# file: contracts\/logins\.yaml\n[\s\S]*\ntable: public\.logins\nowner: unassigned #/,
    );
    expect(await project.lethe('suggest', 'public.people')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('# no contract for public.people: public.people is a view'),
    });
    const unknown = await project.lethe('suggest', 'public.login');
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('the database has no table public.login. Did you mean public.logins?');
    expect((await project.lethe('suggest')).code).toBe(2);
    expect((await project.lethe('suggest', 'logins', '--all')).code).toBe(2);
  });

  it('is not waited for where a table is locked: names and types alone speak', async () => {
    const project = await projectWith(load);
    const other = new Client({ connectionString: project.source.url });
    await other.connect();
    try {
      await other.query('begin; lock table "Verkauf"."Bestellungen" in access exclusive mode');
      const { code, stdout } = await project.lethe('suggest', 'Verkauf.Bestellungen');
      expect(code).toBe(0);
      expect(stdout).toContain('from names and types alone (no rows: SQLSTATE 55P03)');
      expect(stdout).toMatch(/^ {2}status: \{ .*action: drop/m);
    } finally {
      await other.end();
    }
  });

  it('is told as far as the role sees it, and what the role lacks', async () => {
    const project = await projectWith(load);
    const role = `reader_${project.name}`;
    await project.sql(`create role ${role} login password '${role}'; grant select on logins to ${role}`);
    onTestFinished(async () => {
      await project.sql(`drop owned by ${role}; drop role ${role}`);
    });
    const url = new URL(project.source.url);
    url.username = url.password = role;
    await project.writeConfig({ postgres: { url: url.href } });
    const { byTable } = await suggestAll(project);
    expect([...byTable.keys()].filter((table) => table.startsWith('Verkauf'))).toEqual([]);
    expect(byTable.get('public.logins')!.refused).toContain('GRANT <owner of public.logins>');
  });

  it('proposes the same again as long as the rows are the same', async () => {
    const project = await projectWith(load);
    const [first, second] = [await suggestAll(project), await suggestAll(project)];
    expect(second.printed).toBe(first.printed);
  });
});
