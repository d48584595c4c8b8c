import type { ClientBase } from 'pg';
import { checkContracts } from '../../schemas/check-contract.ts';
import type { Config } from '../../schemas/config.ts';
import { sinkNames } from '../../schemas/sink-name.ts';
import { type Contract, contractShape, tableParts } from '../../schemas/contract.ts';
import { didYouMean } from '../../schemas/did-you-mean.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Finding } from '../../schemas/finding.ts';
import { checkHouseRules } from '../../schemas/house-rules/check-house-rules.ts';
import type { HouseRules } from '../../schemas/house-rules/load-rules.ts';
import { type LoadedContract, parseContract } from '../../schemas/load-contracts.ts';
import { checkTable } from '../check-table.ts';
import { type Catalog, readCatalog } from '../postgres/catalog.ts';
import { contractYaml } from './contract-yaml.ts';
import { readForeignKeys } from './foreign-keys.ts';
import { keepHouseRules } from './keep-house-rules.ts';
import { listTables } from './list-tables.ts';
import { personalRoots, type Proposal, proposeContract } from './propose-contract.ts';
import { Relations } from './relations.ts';
import { noSample, type Sample, sampleRows } from './sample-rows.ts';
import { readSerialColumns } from './serial-columns.ts';

/** What is proposed for a table, or why nothing is. */
export interface Suggestion {
  readonly table: string;
  /** Name in the folder of contracts. */
  readonly file: string;
  readonly proposed?: {
    readonly contract: Contract;
    readonly reasons: Readonly<Record<string, string>>;
    readonly yaml: string;
  };
  readonly refused?: string;
}

export interface SuggestOptions {
  /** `schema.table`, or every table there is. */
  readonly table: string | undefined;
  readonly sampleRows: number;
  readonly config: Config;
  /** Contracts that are there already: a proposal must get along with them. */
  readonly existing: readonly LoadedContract[];
  /** Rules that every contract must keep: so must a proposal. */
  readonly house?: HouseRules | undefined;
}

/**
 * Proposes a contract for a table, or for all. Every proposal passes the checks of `lethe check` as it is; a table for
 * which none does is refused with the check's own reason. Throws a LetheError for a table that does not exist.
 */
export async function suggestContracts(client: ClientBase, options: SuggestOptions): Promise<Suggestion[]> {
  const names = options.table === undefined ? await allTables(client) : [options.table];
  const relations = new Relations(await readForeignKeys(client), await readSerialColumns(client));
  // Whether a foreign key repeats something personal, the rows that it refers to may tell better.
  const looked = new Set([...names, ...names.flatMap((name) => relations.rootTables(name))]);
  const catalog = await readCatalog(client, [...looked].filter(isUsable));
  if (options.table !== undefined && !catalog.tables.has(options.table)) {
    const hint = didYouMean(options.table, catalog.names);
    throw new LetheError('CONTRACT_INVALID', `the database has no table ${options.table}.${hint}`, {
      fix: 'Write schema.table; Postgres minds the case.',
    });
  }
  const work = new Suggesting(catalog, relations, options);
  for (const [name, table] of catalog.tables) {
    if (work.refusal(name) !== undefined) continue;
    work.samples.set(name, await sampleRows(client, table, options.sampleRows));
  }
  return work.suggestions(names);
}

async function allTables(client: ClientBase): Promise<string[]> {
  return (await listTables(client)).map(({ schema, table }) => `${schema}.${table}`);
}

/** Can a contract name it? */
function isUsable(name: string): boolean {
  return contractShape.shape.table.safeParse(name).success;
}

/** `public.orders` is `orders.yaml`, `sales.orders` is `sales.orders.yaml`. */
export function contractFile(table: string): string {
  const { schema, table: bare } = tableParts(table);
  return schema === 'public' ? `${bare}.yaml` : `${schema}.${bare}.yaml`;
}

class Suggesting {
  readonly samples = new Map<string, Sample>();
  readonly #catalog: Catalog;
  readonly #relations: Relations;
  readonly #options: SuggestOptions;

  constructor(catalog: Catalog, relations: Relations, options: SuggestOptions) {
    this.#catalog = catalog;
    this.#relations = relations;
    this.#options = options;
  }

  /** Why the table can have no contract, whatever its rows hold. */
  refusal(table: string): string | undefined {
    return this.#check(table, this.#propose(table, new Set())).refused;
  }

  suggestions(names: readonly string[]): Suggestion[] {
    const roots = new Set([...this.samples.keys()].flatMap((table) => personalRoots(this.#facts(table))));
    const made = names.map((table) => this.#suggest(table, roots));
    const loaded = made.flatMap((suggestion) => suggestion.loaded ?? []);
    const quarrels = checkContracts([...this.#options.existing, ...loaded], this.#options.config);
    return made.map(({ loaded: own, ...suggestion }) => {
      const quarrel = quarrels.find((finding) => own !== undefined && finding.file === own.document.file);
      return quarrel
        ? { table: suggestion.table, file: suggestion.file, refused: reasonOf(quarrel) }
        : suggestion;
    });
  }

  #suggest(table: string, roots: ReadonlySet<string>): Suggestion & { loaded?: LoadedContract } {
    if (!this.#catalog.tables.has(table)) {
      const refused = `a contract can name tables of letters, digits and _ alone -> Rename the table.`;
      return { table: printable(table), file: '', refused };
    }
    const proposal = this.#propose(table, roots);
    const { yaml, loaded, refused } = this.#check(table, proposal);
    const file = contractFile(table);
    if (refused !== undefined) return { table, file, refused };
    return {
      table,
      file,
      proposed: { contract: proposal.contract, reasons: proposal.reasons, yaml },
      loaded: loaded!,
    };
  }

  #propose(table: string, roots: ReadonlySet<string>): Proposal {
    const facts = this.#facts(table);
    const proposal = proposeContract({ ...facts, personalRoots: roots });
    const { house } = this.#options;
    return house ? keepHouseRules(proposal, facts.table, house) : proposal;
  }

  #facts(table: string) {
    return {
      table: this.#catalog.tables.get(table)!,
      relations: this.#relations,
      serverVersion: this.#catalog.serverVersion,
      sinks: sinkNames.filter((sink) => this.#options.config[sink] !== undefined),
      sample: this.samples.get(table) ?? noSample,
    };
  }

  /** The text is read back and checked as `lethe check` would. */
  #check(table: string, proposal: Proposal): { yaml: string; loaded?: LoadedContract; refused?: string } {
    const sample = this.samples.get(table) ?? noSample;
    const yaml = contractYaml(proposal, sample);
    const { loaded, findings } = parseContract({ file: `(proposal for ${table})`, text: yaml });
    if (!loaded) return { yaml, refused: reasonOf(findings[0]!) };
    const errors = [
      ...checkTable(loaded, this.#catalog),
      ...checkContracts([loaded], this.#options.config),
      ...(this.#options.house ? checkHouseRules([loaded], this.#options.house) : []),
    ].filter((finding) => finding.severity === 'error');
    // A key of a type that is not taken has the wrong action as well, whatever is proposed.
    const first = errors.find(({ code }) => code === 'KEY_TYPE') ?? errors[0];
    return first ? { yaml, refused: reasonOf(first) } : { yaml, loaded };
  }
}

function reasonOf({ message, fix }: Finding): string {
  return `${message} -> ${fix}`;
}

/** A name on one line, whatever it holds. */
function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}
