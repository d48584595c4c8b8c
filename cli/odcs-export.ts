import type { Config } from '../schemas/config.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { LetheError } from '../schemas/errors.ts';
import { hasErrors } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { datasetName } from '../schemas/names.ts';
import { type OdcsContract, odcsText, toOdcs } from '../schemas/odcs/to-odcs.ts';
import type { SourceTable } from '../schemas/source-table.ts';
import { openProject, readProjectFiles } from './project.ts';
import { writeInto } from './write-file.ts';

export interface ExportFlags {
  readonly config: string;
  readonly all?: true;
  readonly out?: string;
  readonly offline?: true;
  readonly json?: true;
}

interface Exported {
  readonly table: string;
  readonly odcs: OdcsContract;
}

/** What `lethe odcs export` prints: the contracts, or the files that it has written, over earlier ones. */
export async function exportContracts(table: string | undefined, flags: ExportFlags): Promise<string> {
  const { config, contracts, tables } = await openContracts(flags);
  const exported = chosen(contracts, table).map(
    ({ contract }): Exported => ({
      table: contract.table,
      odcs: toOdcs(contract, config, tables.get(contract.table)),
    }),
  );
  if (flags.out !== undefined) return writeAll(exported, flags.out, flags.json === true);
  if (flags.json) return `${JSON.stringify({ contracts: exported.map(({ odcs }) => odcs) })}\n`;
  return exported.map(({ odcs }) => odcsText(odcs)).join('---\n');
}

/** The contracts, with the tables as the database has them unless no server is to be asked. */
async function openContracts({ config: path, offline }: ExportFlags): Promise<{
  config: Config;
  contracts: readonly LoadedContract[];
  tables: ReadonlyMap<string, SourceTable>;
}> {
  if (!offline) {
    const { config, contracts, catalog } = await openProject(path);
    return { config, contracts, tables: catalog.tables };
  }
  const { config, contracts, findings } = await readProjectFiles(path);
  if (!config) throw new FindingsError('CONFIG_INVALID', findings);
  if (hasErrors(findings)) throw new FindingsError('CONTRACT_INVALID', findings);
  return { config, contracts, tables: new Map() };
}

function chosen(contracts: readonly LoadedContract[], table: string | undefined): readonly LoadedContract[] {
  if (table === undefined) return contracts;
  const name = table.includes('.') ? table : `public.${table}`;
  const found = contracts.filter(({ contract }) => contract.table === name);
  if (found.length > 0) return found;
  const names = contracts.map(({ contract }) => contract.table);
  throw new LetheError('CONTRACT_INVALID', `no contract is for ${name}.${didYouMean(name, names)}`, {
    fix: `Name one of: ${names.join(', ')}.`,
  });
}

async function writeAll(exported: readonly Exported[], folder: string, json: boolean): Promise<string> {
  const written: { table: string; file: string }[] = [];
  for (const { table, odcs } of exported) {
    const file = await writeInto(folder, `${datasetName(table)}.odcs.yaml`, odcsText(odcs));
    written.push({ table, file });
  }
  if (json) return `${JSON.stringify({ written })}\n`;
  return written.map(({ file }) => `wrote ${file}\n`).join('');
}
