import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { guessWord } from '../connectors/suggest/guess-word.ts';
import type { Finding } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { loadConfig } from '../schemas/load-config.ts';
import { datasetName } from '../schemas/names.ts';
import { contractText } from '../schemas/odcs/contract-text.ts';
import { fromOdcs, type ImportedContract } from '../schemas/odcs/from-odcs.ts';
import { parseSource } from '../schemas/source-document.ts';
import { renderTable } from './table.ts';
import { writeInto } from './write-file.ts';

export interface ImportFlags {
  readonly config: string;
  readonly out?: string;
  readonly json?: true;
}

/** What `lethe odcs import` prints. It writes all or, where something stands against one of them, nothing. */
export async function importContracts(files: readonly string[], flags: ImportFlags): Promise<string> {
  const folder = flags.out ?? (await contractsFolder(flags.config));
  const read = await Promise.all(files.map(readOdcs));
  const contracts = read.flatMap((imported) => imported.contracts);
  const findings = [...read.flatMap((imported) => imported.findings), ...(await inTheWay(contracts, folder))];
  if (findings.length > 0) throw new FindingsError('ODCS_INVALID', findings);
  const written: { table: string; file: string; columns: number; proposed: number }[] = [];
  for (const { contract, comments } of contracts) {
    const { table, columns } = contract;
    written.push({
      table,
      file: await writeInto(folder, fileName(table), contractText(contract, comments), { fresh: true }),
      columns: Object.keys(columns).length,
      proposed: Object.keys(comments.columns).length,
    });
  }
  if (flags.json) return `${JSON.stringify({ written })}\n`;
  const rows = written.map(({ table, file, columns, proposed }) => [
    table,
    String(columns),
    String(proposed),
    file,
  ]);
  return `${renderTable(['table', 'columns', 'proposed', 'file'], rows)}Read what is proposed, then run: lethe check\n`;
}

async function contractsFolder(config: string): Promise<string> {
  const loaded = await loadConfig(config);
  if (loaded.contractsFolder !== undefined) return loaded.contractsFolder;
  throw new FindingsError('CONFIG_INVALID', loaded.findings);
}

async function readOdcs(file: string): Promise<ReturnType<typeof fromOdcs>> {
  try {
    return fromOdcs(file, await readFile(file, 'utf8'), guessWord);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    if (reason === undefined) throw error;
    const message = `the file cannot be read (${reason})`;
    const fix = 'Name a file that is there and that this user may read.';
    return {
      contracts: [],
      findings: [{ severity: 'error', code: 'FILE_UNREADABLE', file, line: 1, field: '', message, fix }],
    };
  }
}

/** Whatever would be written over, or stand beside a contract for the same table. */
async function inTheWay(contracts: readonly ImportedContract[], folder: string): Promise<Finding[]> {
  const { taken, names, findings } = await presentTables(folder);
  for (const { contract, place } of contracts) {
    const { table } = contract;
    const owner =
      taken.get(table) ?? (names.has(fileName(table)) ? join(folder, fileName(table)) : undefined);
    if (owner !== undefined) {
      findings.push({
        severity: 'error',
        code: 'DUPLICATE_CONTRACT',
        ...place,
        message: `${table} has a contract already: ${owner}`,
        fix: 'Move it away, or import into another folder with --out and compare the two.',
      });
    }
    taken.set(table, place.file);
  }
  return findings;
}

/**
 * The tables that the folder has contracts for, whether these are right or not. A file that cannot be read may be
 * the contract of any table: that is a finding.
 */
async function presentTables(
  folder: string,
): Promise<{ taken: Map<string, string>; names: ReadonlySet<string>; findings: Finding[] }> {
  const names = await readdir(folder).catch((): string[] => []);
  const taken = new Map<string, string>();
  const findings: Finding[] = [];
  for (const name of names.filter((candidate) => /\.ya?ml$/.test(candidate))) {
    const file = join(folder, name);
    const parsed = parseSource(file, await readFile(file, 'utf8'));
    findings.push(...parsed.findings);
    const table = (parsed.document?.value as { table?: unknown } | null | undefined)?.table;
    if (typeof table === 'string') taken.set(table, file);
  }
  return { taken, names: new Set(names), findings };
}

function fileName(table: string): string {
  return `${datasetName(table)}.yaml`;
}
