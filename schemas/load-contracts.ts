import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contract, contractShape } from './contract.ts';
import { type Finding, sortFindings } from './finding.ts';
import { parseShape } from './shape-findings.ts';
import { parseSource, type SourceDocument } from './source-document.ts';

/** A contract and the places of its fields. */
export interface LoadedContract {
  readonly contract: Contract;
  readonly document: SourceDocument;
}

export interface LoadedContracts {
  /** Those without a finding of their own, in the order of their file names. */
  readonly contracts: readonly LoadedContract[];
  readonly findings: readonly Finding[];
}

/** Reads every `*.yaml` and `*.yml` of the folder, one contract each; `folder` is what findings call it. */
export async function loadContracts(folder: string): Promise<LoadedContracts> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name)).sort();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const message = `the folder of contracts cannot be read (${reason})`;
    return {
      contracts: [],
      findings: [
        wholeFile('FILE_UNREADABLE', folder, message, 'Create it, or correct `contracts` in lethe.yaml.'),
      ],
    };
  }
  if (names.length === 0) {
    const fix = 'Write one file a table, for example customers.yaml.';
    return {
      contracts: [],
      findings: [wholeFile('NO_CONTRACTS', folder, 'the folder holds no *.yaml: nothing would pass', fix)],
    };
  }
  const contracts: LoadedContract[] = [];
  const findings: Finding[] = [];
  for (const name of names) {
    const loaded = await loadContract(join(folder, name));
    if (loaded.contract) contracts.push({ contract: loaded.contract, document: loaded.document });
    findings.push(...loaded.findings);
  }
  return { contracts, findings: sortFindings([...findings, ...duplicates(contracts)]) };
}

type ParsedContract =
  | { contract: Contract; document: SourceDocument; findings: [] }
  | { contract?: undefined; document?: undefined; findings: Finding[] };

async function loadContract(file: string): Promise<ParsedContract> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const fix = 'Give this user the right to read it.';
    return { findings: [wholeFile('FILE_UNREADABLE', file, `the file cannot be read (${reason})`, fix)] };
  }
  return parseContract(file, text);
}

/** A contract's text with the places of its fields, or every finding; `file` is what findings call it. */
export function parseContract(file: string, text: string): ParsedContract {
  const { document, findings } = parseSource(file, text);
  if (!document) return { findings };
  const parsed = parseShape(contractShape, document, withNullAction(document));
  if (!parsed.value) return { findings: parsed.findings };
  return { contract: parsed.value, document, findings: [] };
}

/** A contract as text; `file` is what findings call it. */
export interface ContractFile {
  readonly file: string;
  readonly text: string;
}

/** Contracts from their texts, wherever these come from. */
export function parseContracts(files: readonly ContractFile[]): LoadedContracts {
  const parsed = files.map(({ file, text }) => parseContract(file, text));
  const contracts = parsed.flatMap(({ contract, document }) => (contract ? [{ contract, document }] : []));
  const findings = parsed.flatMap((one) => one.findings);
  return { contracts, findings: sortFindings([...findings, ...duplicates(contracts)]) };
}

/** `action: null` is YAML's null; whoever writes the word means the action of that name. */
function withNullAction(document: SourceDocument): unknown {
  const root = document.value as { columns?: Record<string, { action?: unknown }> };
  if (root?.columns === null || typeof root?.columns !== 'object') return root;
  const columns = Object.entries(root.columns).map(([name, rule]) => {
    const written = document.textAt(['columns', name, 'action']);
    return [name, written === 'null' ? { ...rule, action: 'null' } : rule] as const;
  });
  return { ...root, columns: Object.fromEntries(columns) };
}

function duplicates(contracts: readonly LoadedContract[]): Finding[] {
  const first = new Map<string, LoadedContract>();
  return contracts.flatMap((loaded) => {
    const { table } = loaded.contract;
    const other = first.get(table);
    if (!other) {
      first.set(table, loaded);
      return [];
    }
    const place = `${other.document.file}:${other.document.keyAt(['table']).line}`;
    return [
      {
        severity: 'error',
        code: 'DUPLICATE_CONTRACT',
        file: loaded.document.file,
        ...loaded.document.valueAt(['table']),
        field: 'table',
        message: `${table} has a contract already, in ${place}`,
        fix: 'Keep one contract for each table.',
      } satisfies Finding,
    ];
  });
}

function wholeFile(code: Finding['code'], file: string, message: string, fix: string): Finding {
  return { severity: 'error', code, file, line: 1, field: '', message, fix };
}
