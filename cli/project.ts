import { checkTable } from '../connectors/check-table.ts';
import { type Catalog, readCatalog } from '../connectors/postgres/catalog.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import { checkMaster } from '../keys/master/check-master.ts';
import { checkContracts } from '../schemas/check-contract.ts';
import { checkRecipients } from '../schemas/check-recipients.ts';
import type { Config } from '../schemas/config.ts';
import { type Dataset, deriveDataset } from '../schemas/dataset.ts';
import { LetheError } from '../schemas/errors.ts';
import { type Finding, hasErrors } from '../schemas/finding.ts';
import { FindingsError } from '../schemas/findings-error.ts';
import { loadConfig } from '../schemas/load-config.ts';
import {
  checkDefaults,
  checkHouseRules,
  checkTablePatterns,
} from '../schemas/house-rules/check-house-rules.ts';
import { type HouseRules, loadHouseRules } from '../schemas/house-rules/load-rules.ts';
import { withRules } from '../schemas/house-rules/with-rules.ts';
import { factsOf } from '../schemas/lookups.ts';
import { type LoadedContract, loadContracts } from '../schemas/load-contracts.ts';
import type { SourceDocument } from '../schemas/source-document.ts';

/** lethe.yaml, the contracts and the tables they speak of, all without an error. */
export interface Project {
  readonly configPath: string;
  readonly config: Config;
  /** lethe.yaml with the places of its fields. */
  readonly document: SourceDocument;
  readonly contracts: readonly LoadedContract[];
  readonly catalog: Catalog;
  readonly datasets: readonly Dataset[];
  /** Warnings and notices. */
  readonly findings: readonly Finding[];
}

/** The files of a project, as far as they can be read; contracts with a finding of their own are left out. */
export interface ProjectFiles {
  readonly config?: Config;
  readonly document?: SourceDocument;
  readonly contracts: readonly LoadedContract[];
  /** As findings call it; undefined if lethe.yaml names none. */
  readonly rulesFile?: string;
  readonly findings: readonly Finding[];
}

/** Opens a project, or throws a FindingsError that tells everything that is wrong with it. */
export async function openProject(configPath: string): Promise<Project> {
  const files = await readProjectFiles(configPath);
  const { config, document, contracts } = files;
  if (!config || !document) throw new FindingsError('CONFIG_INVALID', files.findings);
  if (hasErrors(files.findings)) throw new FindingsError('CONTRACT_INVALID', files.findings);
  const catalog = await readSourceCatalog(config, contracts).catch((error: unknown) => {
    throw new FindingsError('CONFIG_INVALID', [findingOf(error, ['postgres', 'url'], document)]);
  });
  const findings = [
    ...files.findings,
    ...contracts.flatMap((loaded) => checkTable(loaded, catalog, contracts)),
  ];
  if (hasErrors(findings)) throw new FindingsError('CONTRACT_INVALID', findings);
  const all = contracts.map(({ contract }) => contract);
  const datasets = all.map((contract) =>
    deriveDataset(contract, catalog.tables.get(contract.table)!, factsOf(contract.table, all)),
  );
  return { configPath, config, document, contracts, catalog, datasets, findings };
}

/** Reads lethe.yaml and the contracts and applies every rule that needs no server. */
export async function readProjectFiles(configPath: string): Promise<ProjectFiles> {
  const loaded = await loadConfig(configPath);
  const { config, document, contractsFolder, rulesFile } = loaded;
  if (!config || !document || contractsFolder === undefined) {
    return { contracts: [], findings: loaded.findings, ...(document ? { document } : {}) };
  }
  const rules = rulesFile === undefined ? undefined : await loadHouseRules(rulesFile);
  const { contracts, findings } = withRules(await loadContracts(contractsFolder, rules?.house), rules);
  return {
    config,
    document,
    contracts,
    ...(rulesFile === undefined ? {} : { rulesFile }),
    findings: [
      ...checkKeys(config, document),
      ...findings,
      ...checkContracts(contracts, config),
      // Where not every contract could be read, nobody can say which tables have none.
      ...(hasErrors(findings) ? [] : checkRecipients(config, document, contracts)),
      ...(rules?.house ? checkHouse(contracts, rules.house, hasErrors(findings)) : []),
    ],
  };
}

/** `partly`: not every contract could be read, so that nobody can say which tables have none. */
function checkHouse(contracts: readonly LoadedContract[], house: HouseRules, partly: boolean): Finding[] {
  return [
    ...checkDefaults(house),
    ...checkHouseRules(contracts, house),
    ...(partly ? [] : checkTablePatterns(contracts, house)),
  ];
}

function checkKeys(config: Config, document: SourceDocument): Finding[] {
  try {
    checkMaster(config);
    return [];
  } catch (error) {
    return [findingOf(error, ['keys', 'master'], document)];
  }
}

/** The tables of the contracts as the source has them; throws a LetheError if it does not let us look. */
export function readSourceCatalog(config: Config, contracts: readonly LoadedContract[]): Promise<Catalog> {
  const tables = [...new Set(contracts.map(({ contract }) => contract.table))];
  return withSource(config.postgres, (client) => readCatalog(client, tables));
}

/** An error of a server as a finding at the field of lethe.yaml that leads there. */
export function findingOf(error: unknown, field: readonly string[], document: SourceDocument): Finding {
  if (!(error instanceof LetheError)) throw error;
  return {
    severity: 'error',
    code: error.code,
    file: document.file,
    ...document.valueAt(field),
    field: field.join('.'),
    message: error.message,
    fix: error.fix,
  };
}
