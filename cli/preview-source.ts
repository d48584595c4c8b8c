import { checkTable } from '../connectors/check-table.ts';
import type { Catalog, CatalogTable } from '../connectors/postgres/catalog.ts';
import type { Config } from '../schemas/config.ts';
import { type Contract, tableParts } from '../schemas/contract.ts';
import { type Dataset, deriveDataset } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Finding } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { pathsOf } from '../schemas/lookups.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { findingOf, type ProjectFiles, readProjectFiles, readSourceCatalog } from './project.ts';

/** One table under its contract as it stands in the files. */
export interface PreviewSource {
  readonly config: Config;
  readonly table: CatalogTable;
  readonly dataset: Dataset;
  readonly contract: Contract;
  /** The table, and those that its paths lead over. */
  readonly catalog: Catalog;
  /** What stands in the way of `apply`, though not of looking. */
  readonly notes: readonly string[];
}

/**
 * Opens one table of a project; what is wrong with other contracts does not matter. Throws a FindingsError for its own contract, for
 * the house rules, for lethe.yaml and for a source that does not answer, CONTRACT_INVALID for a table that has no contract.
 */
export async function openPreviewSource(configPath: string, name: string): Promise<PreviewSource> {
  const files = await readProjectFiles(configPath);
  const { config, document } = files;
  if (!config || !document) throw new FindingsError('CONFIG_INVALID', files.findings);
  // Under rules that are at fault nobody knows what becomes of a column.
  refuse(
    'CONTRACT_INVALID',
    files.findings.filter((finding) => isError(finding) && finding.file === files.rulesFile),
  );
  const loaded = contractNamed(files, name);
  const { contract } = loaded;
  const own = files.findings.filter(({ file }) => file === loaded.document.file || file === document.file);
  refuse('CONTRACT_INVALID', own.filter(isError));
  const onPaths = new Set(pathsOf(contract).flatMap(({ hops }) => hops.map((hop) => hop.table)));
  const others = files.contracts.filter((other) => onPaths.has(other.contract.table));
  const catalog = await readSourceCatalog(config, [loaded, ...others]).catch((error: unknown) => {
    throw new FindingsError('CONFIG_INVALID', [findingOf(error, ['postgres', 'url'], document)]);
  });
  const findings = checkTable(loaded, catalog);
  refuse(
    'CONTRACT_INVALID',
    findings.filter((finding) => isError(finding) && !mayStay(finding)),
  );
  const table = catalog.tables.get(contract.table)!;
  const notes = findings.filter((finding) => finding.severity === 'warning' || mayStay(finding));
  return {
    config,
    table,
    contract,
    catalog,
    dataset: deriveDataset(contract, table),
    notes: notes.map(({ message, fix }) => `${message} -> ${fix}`),
  };
}

/** `schema.table`, or a bare name that only one contract has. */
function contractNamed({ contracts, findings }: ProjectFiles, name: string): LoadedContract {
  const exact = contracts.find(({ contract }) => contract.table === name);
  const bare = contracts.filter(({ contract }) => tableParts(contract.table).table === name);
  const found = exact ?? (bare.length === 1 ? bare[0] : undefined);
  if (found) return found;
  const tables = contracts.map(({ contract }) => contract.table);
  if (tables.length === 0) refuse('CONTRACT_INVALID', findings.filter(isError));
  const broken = new Set(findings.filter(isError).map(({ file }) => file)).size;
  const unread = broken === 0 ? '' : ` ${broken} of the files cannot be used: run lethe check.`;
  const fix = `Name one of ${tables.join(', ')}; or write a contract for the table.`;
  throw new LetheError(
    'CONTRACT_INVALID',
    `no contract is for ${name}.${didYouMean(name, tables)}${unread}`,
    { fix },
  );
}

function refuse(code: 'CONFIG_INVALID' | 'CONTRACT_INVALID', findings: readonly Finding[]): void {
  if (findings.length > 0) throw new FindingsError(code, findings);
}

function isError(finding: Finding): boolean {
  return finding.severity === 'error';
}

/** A role that may read may look, also where it may not publish; what it may not read the source refuses by itself. */
function mayStay(finding: Finding): boolean {
  return finding.code === 'TABLE_ACCESS';
}
