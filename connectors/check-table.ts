import { contractFinding } from '../schemas/contract-finding.ts';
import { columnsRead, needsValue } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { factsOf } from '../schemas/lookups.ts';
import type { Finding } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { checkColumns } from './check-columns.ts';
import { checkConditions } from './check-conditions.ts';
import { checkErasureColumns } from './check-erasure-columns.ts';
import { checkKey } from './check-key.ts';
import { checkLookups } from './check-lookups.ts';
import { checkNames } from './check-names.ts';
import { checkSubject } from './check-subject.ts';
import { unnamedFields } from './check-nested.ts';
import type { Catalog, CatalogColumn, CatalogTable } from './postgres/catalog.ts';

/**
 * The rules of a contract that need its table: every breach, with its place in the contract. `contracts` are all there are, for what
 * their paths look up here.
 */
export function checkTable(
  loaded: LoadedContract,
  catalog: Catalog,
  contracts: readonly LoadedContract[] = [loaded],
): Finding[] {
  const { contract } = loaded;
  const table = catalog.tables.get(contract.table);
  if (!table) {
    const message = `the database has no table ${contract.table}.${didYouMean(contract.table, catalog.names)}`;
    const fix = 'Correct the name (Postgres minds the case) or take the contract away.';
    return [contractFinding(loaded, 'TABLE_MISSING', ['table'], message, fix)];
  }
  const problem = kindProblem(table);
  if (problem) return [contractFinding(loaded, 'TABLE_KIND', ['table'], ...problem)];
  const facts = factsOf(
    contract.table,
    contracts.map((other) => other.contract),
  );
  const readColumns = columnsRead(contract, facts);
  return [
    ...checkAccess(loaded, table, readColumns),
    ...checkKey(loaded, table),
    ...checkColumns(loaded, table, catalog.serverVersion),
    ...checkSubject(loaded, table, catalog.serverVersion),
    ...checkConditions(loaded, table, catalog.serverVersion),
    ...checkNames(loaded, table, catalog.serverVersion),
    ...checkLookups(loaded, catalog),
    ...checkErasureColumns(loaded, table),
    ...noticesOf(loaded, table),
  ];
}

/** Kinds of relations that are refused, with the reason and the way out. */
const refusedKinds: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  v: ['a view: it has no rows of its own in the WAL', 'Write contracts for the tables behind it.'],
  m: ['a materialized view: logical decoding leaves it out', 'Write contracts for the tables behind it.'],
  f: ['a foreign table: its rows are in another server', 'Point a pipeline at that server.'],
  p: ['a partitioned table: not taken yet', 'Write a contract for each partition.'],
};

function kindProblem(table: CatalogTable): readonly [message: string, fix: string] | undefined {
  const refused = refusedKinds[table.relKind];
  if (refused) return [`${table.table} is ${refused[0]}`, refused[1]];
  if (table.relKind !== 'r') return [`${table.table} is not an ordinary table`, 'Take the contract away.'];
  if (table.persistence !== 'p') {
    return [
      `${table.table} is unlogged: it is not in the WAL`,
      `Run: ALTER TABLE ${table.table} SET LOGGED;`,
    ];
  }
  if (table.hasChildren) {
    const message = `${table.table} has inheritance children: a snapshot would read their rows, the stream would not`;
    return [message, 'Write contracts for the children and move the rows there.'];
  }
  return undefined;
}

function checkAccess(
  loaded: LoadedContract,
  table: CatalogTable,
  readColumns: ReadonlySet<string>,
): Finding[] {
  const findings: Finding[] = [];
  const add = (message: string, fix: string): void => {
    findings.push(contractFinding(loaded, 'TABLE_ACCESS', ['table'], message, fix));
  };
  if (!table.owned) {
    add(
      `the role does not own ${table.table}: only its owner may publish it and change its replica identity`,
      `Run: GRANT <owner of ${table.table}> TO <the role of lethe.yaml>;`,
    );
  }
  if (table.rowsHidden) {
    add(
      `row security hides rows of ${table.table} from the role: a snapshot would be incomplete`,
      'Give the role BYPASSRLS.',
    );
  }
  const unreadable = table.columns.filter(
    (column) => !column.readable && isPublished(loaded, column.name, readColumns),
  );
  if (unreadable.length > 0) {
    add(
      `the role may not read ${unreadable.map((column) => column.name).join(', ')}`,
      `Run: GRANT SELECT ON ${table.table} TO <the role of lethe.yaml>;`,
    );
  }
  return findings;
}

function isPublished(loaded: LoadedContract, name: string, readColumns: ReadonlySet<string>): boolean {
  const { columns } = loaded.contract;
  const rule = Object.hasOwn(columns, name) ? columns[name] : undefined;
  return rule !== undefined && (needsValue(rule) || readColumns.has(name));
}

/** The column, if the contract does not name it; what lies in it and has no path. */
function unlistedOf(loaded: LoadedContract, column: CatalogColumn): string[] {
  const { columns } = loaded.contract;
  if (!Object.hasOwn(columns, column.name)) return [column.name];
  const rule = columns[column.name]!;
  if (rule.action !== 'paths' || !column.shape) return [];
  return unnamedFields(column.name, column.shape, rule.paths);
}

/** What will happen without being asked for: said, not refused. */
function noticesOf(loaded: LoadedContract, table: CatalogTable): Finding[] {
  const findings: Finding[] = [];
  const unlisted = table.columns.flatMap((column) => unlistedOf(loaded, column));
  if (unlisted.length > 0) {
    const message = `not named by the contract, so not passed: ${unlisted.join(', ')}`;
    const fix = 'Name them with an action; drop says that it is meant.';
    findings.push(contractFinding(loaded, 'COLUMN_UNLISTED', ['columns'], message, fix, 'key', 'notice'));
  }
  if (table.replicaIdentity !== 'default') {
    const generated = table.columns.some((column) => column.generation !== 'none');
    const why =
      table.replicaIdentity === 'full' && generated
        ? 'with a column list or a generated column Postgres would refuse the application’s UPDATE'
        : 'a column list and the key of the stream need the primary key as identity';
    const message = `replica identity ${table.replicaIdentity.toUpperCase()} becomes DEFAULT: ${why}`;
    const fix = 'Nothing to do: apply changes it first.';
    findings.push(contractFinding(loaded, 'REPLICA_IDENTITY', ['table'], message, fix, 'value', 'notice'));
  }
  return findings;
}
