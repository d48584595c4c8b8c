import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Contract, contractShape } from './contract.ts';
import { type Finding, sortFindings } from './finding.ts';
import { type Origins, withDefaults, withOrigin } from './house-rules/defaults.ts';
import type { HouseRules } from './house-rules/load-rules.ts';
import { withNullWords } from './null-word.ts';
import { parseShape } from './shape-findings.ts';
import { type FieldPath, parseSource, type SourceDocument } from './source-document.ts';

/** A contract and the places of its fields. */
export interface LoadedContract {
  readonly contract: Contract;
  readonly document: SourceDocument;
  /** Where the actions stand that come from the house rules. */
  readonly origins?: Origins;
}

export interface LoadedContracts {
  /** Those without a finding of their own, in the order of their file names. */
  readonly contracts: readonly LoadedContract[];
  readonly findings: readonly Finding[];
}

/**
 * Reads every `*.yaml` and `*.yml` of the folder, one contract each; `folder` is what findings call it. Actions that
 * they leave out are the house's defaults.
 */
export async function loadContracts(folder: string, house?: HouseRules): Promise<LoadedContracts> {
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
  const files: ContractFile[] = [];
  const findings: Finding[] = [];
  for (const name of names) {
    const file = join(folder, name);
    try {
      files.push({ file, text: await readFile(file, 'utf8') });
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      const fix = 'Give this user the right to read it.';
      findings.push(wholeFile('FILE_UNREADABLE', file, `the file cannot be read (${reason})`, fix));
    }
  }
  const parsed = parseContracts(files, house);
  return { contracts: parsed.contracts, findings: sortFindings([...findings, ...parsed.findings]) };
}

/** A contract as text; `file` is what findings call it. */
export interface ContractFile {
  readonly file: string;
  readonly text: string;
}

/** Contracts from their texts, wherever these come from; actions that they leave out are the house's defaults. */
export function parseContracts(files: readonly ContractFile[], house?: HouseRules): LoadedContracts {
  const parsed = files.map((file) => parseContract(file, house));
  const contracts = parsed.flatMap(({ loaded }) => loaded ?? []);
  const findings = parsed.flatMap((one) => one.findings);
  return { contracts, findings: sortFindings([...findings, ...duplicates(contracts)]) };
}

/** One contract from its text with the places of its fields, or every finding. */
export function parseContract(
  { file, text }: ContractFile,
  house?: HouseRules,
): { readonly loaded?: LoadedContract; readonly findings: readonly Finding[] } {
  const { document, findings } = parseSource(file, text);
  if (!document) return { findings };
  const { value, origins } = withDefaults(withNullWords(document, isNullWord), house);
  const parsed = parseShape(contractShape, document, value);
  if (!parsed.value) {
    return { findings: parsed.findings.map((f) => withDefaultAsFix(withOrigin(f, origins), house)) };
  }
  return { loaded: { contract: parsed.value, document, origins }, findings: [] };
}

/** Where the word null may stand: an action, `columns.email.action` and in a path's rule; and what becomes of rows at the source. */
function isNullWord(path: FieldPath): boolean {
  if (path[0] === 'erasure') return path.length === 2 && path[1] === 'source';
  return path[0] === 'columns' && path.length > 2 && path.at(-1) === 'action';
}

/** The way out of a missing action may also be a default for all columns of the classification. */
function withDefaultAsFix(finding: Finding, house: HouseRules | undefined): Finding {
  if (!isMissingAction(finding)) return finding;
  const place = house ? house.document.file : 'a file that `rules` of lethe.yaml names';
  return { ...finding, fix: `${finding.fix} Or give its classification one under defaults in ${place}.` };
}

/** Does the finding say that a column has no action? */
export function isMissingAction({ code, field }: Finding): boolean {
  return code === 'MISSING_KEY' && /^columns\..+\.action$/.test(field);
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
