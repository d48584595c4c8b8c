import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { readProjectFiles } from '../../../cli/project.ts';
import { goodConfig, goodContract, writeFiles } from './project-files.ts';

async function findings(erasure: string, contracts: Record<string, string> = {}): Promise<string[]> {
  const folder = await writeFiles({
    'lethe.yaml': `${goodConfig}erasure: ${erasure}\n`,
    'contracts/a.yaml': goodContract,
    ...contracts,
  });
  const files = await readProjectFiles(join(folder, 'lethe.yaml'));
  return files.findings
    .filter(({ field }) => field.startsWith('erasure'))
    .map(({ code, field, message }) => `${code} ${field}: ${message}`);
}

const nobodys = `table: public.products
owner: o
tier: 1
sinks: []
staleness: 30s
columns:
  id: { classification: internal, action: keep }
`;

describe('erasures in lethe.yaml', () => {
  it('have none who approve, and no recipients, if nothing is said', async () => {
    const folder = await writeFiles({ 'lethe.yaml': goodConfig, 'contracts/a.yaml': goodContract });
    const { config } = await readProjectFiles(join(folder, 'lethe.yaml'));
    expect(config!.erasure).toEqual({ approvals: 0, recipients: [], acknowledgeDays: 30 });
  });

  it('take recipients of tables whose rows are somebody’s', async () => {
    expect(
      await findings('{ approvals: 2, recipients: [{ name: billing, tables: [public.customers] }] }'),
    ).toEqual([]);
  });

  it('refuse recipients who would never be told', async () => {
    const text =
      '{ recipients: [{ name: a, tables: [public.custmers] }, { name: a, tables: [public.products] }] }';
    expect(await findings(text, { 'contracts/products.yaml': nobodys })).toEqual([
      'UNKNOWN_VALUE erasure.recipients.0.tables.0: no contract is for this table',
      'NAMES_COLLIDE erasure.recipients.1.name: two recipients of this name',
      'WRONG_VALUE erasure.recipients.1.tables.0: the rows of this table are nobody’s: its recipients would never be told',
    ]);
  });

  it('leave it open which tables have a contract where one cannot be read', async () => {
    const text = '{ recipients: [{ name: a, tables: [public.products] }] }';
    expect(await findings(text, { 'contracts/products.yaml': 'table: public.products\n' })).toEqual([]);
  });

  it.each([
    ['{ approvals: -1 }', 'erasure.approvals'],
    ['{ approvals: 6 }', 'erasure.approvals'],
    ['{ acknowledgeDays: 91 }', 'erasure.acknowledgeDays'],
    ['{ recipients: [{ name: "Jane Roe", tables: [public.customers] }] }', 'erasure.recipients.0.name'],
    ['{ recipients: [{ name: a, tables: [] }] }', 'erasure.recipients.0.tables'],
  ])('refuse %s', async (text, field) => {
    expect((await findings(text)).map((finding) => finding.split(/[ :]/)[1])).toEqual([field]);
  });
});
