import { contractFinding } from './contract-finding.ts';
import { didYouMean } from './did-you-mean.ts';
import type { Finding } from './finding.ts';
import type { LoadedContract } from './load-contracts.ts';
import { type DeclaredPath, pathsOf } from './lookups.ts';

/** What paths need of the other contracts: every table has one, and it lists the column that is looked up. */
export function checkPaths(contracts: readonly LoadedContract[]): Finding[] {
  const byTable = new Map(contracts.map((loaded) => [loaded.contract.table, loaded]));
  const lookedUp = new Set(
    contracts.flatMap(({ contract }) =>
      pathsOf(contract).flatMap(({ hops }) => hops.map(({ table }) => table)),
    ),
  );
  return contracts.flatMap((loaded) => [
    ...pathsOf(loaded.contract).flatMap((path) => checkPath(loaded, path, byTable)),
    ...checkTruncate(loaded, lookedUp),
  ]);
}

/** Deleting all rows at once tells nobody who looks them up, and finds none of those that wait. */
function checkTruncate(loaded: LoadedContract, lookedUp: ReadonlySet<string>): Finding[] {
  const { contract } = loaded;
  const waits = pathsOf(contract).length > 0;
  if (contract.truncate !== 'delete' || !(waits || lookedUp.has(contract.table))) return [];
  const message = waits
    ? 'rows that wait for others would come back after a truncate'
    : 'a path of another contract leads over this table, whose rows would still be found there';
  const fix = 'Write truncate: halt, and run `lethe reconcile --repair` after one.';
  return [contractFinding(loaded, 'WRONG_VALUE', ['truncate'], message, fix)];
}

function checkPath(
  loaded: LoadedContract,
  { use, column, hops }: DeclaredPath,
  byTable: ReadonlyMap<string, LoadedContract>,
): Finding[] {
  const findings: Finding[] = [];
  if (!Object.hasOwn(loaded.contract.columns, column)) {
    const message = `the path's column ${column} is not listed: it would not reach the processor`;
    const fix = `Add ${column} to columns; with drop it goes no further.`;
    findings.push(contractFinding(loaded, 'PATH_COLUMN', [use, 'path', 0], message, fix));
  }
  for (const [i, hop] of hops.entries()) {
    const at = [use, 'path', i + 1];
    const other = byTable.get(hop.table);
    if (!other) {
      const message = `${hop.table} has no contract.${didYouMean(hop.table, [...byTable.keys()])}`;
      const fix = `Write a contract for ${hop.table}: only what is captured can be looked up.`;
      findings.push(contractFinding(loaded, 'PATH_TABLE', at, message, fix));
    } else if (!Object.hasOwn(other.contract.columns, hop.column)) {
      const names = Object.keys(other.contract.columns);
      const message = `the contract of ${hop.table} does not list ${hop.column}.${didYouMean(hop.column, names)}`;
      const fix = `Add ${hop.column} to the columns in ${other.document.file}; with drop it goes no further.`;
      findings.push(contractFinding(loaded, 'PATH_COLUMN', at, message, fix));
    }
  }
  return findings;
}
