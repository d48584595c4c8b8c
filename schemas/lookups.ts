import type { Contract } from './contract.ts';
import { type Hop, hopsOf, type PathRule } from './lookup-path.ts';

/** A path of a contract. */
export interface DeclaredPath {
  /** Table whose rows follow it. */
  readonly table: string;
  readonly use: 'subject' | 'consent';
  /** The row's own column that it starts with. */
  readonly column: string;
  readonly hops: readonly Hop[];
}

/** The paths of a contract, the consent's first: it decides whether a row passes at all. */
export function pathsOf(contract: Pick<Contract, 'table' | 'subject' | 'consent'>): DeclaredPath[] {
  const { table, subject, consent } = contract;
  const declared = (use: DeclaredPath['use'], path: PathRule): DeclaredPath => ({
    table,
    use,
    column: path[0],
    hops: hopsOf(path),
  });
  return [
    ...(consent && 'path' in consent ? [declared('consent', consent.path)] : []),
    ...(subject && 'path' in subject ? [declared('subject', subject.path)] : []),
  ];
}

/** Columns of the table that paths of any contract look up, in the order of their names. */
export function factsOf(table: string, contracts: readonly Contract[]): string[] {
  const columns = contracts
    .flatMap(pathsOf)
    .flatMap(({ hops }) => hops.filter((hop) => hop.table === table).map(({ column }) => column));
  return [...new Set(columns)].sort();
}

/** Rows that depend on a fact: those of `table` from whose `column` the path leads over `through` to the looked-up row. */
export interface Follower {
  readonly table: string;
  readonly use: DeclaredPath['use'];
  readonly column: string;
  /** Hops before the one that reads the fact. */
  readonly through: readonly Hop[];
  /** The fact: a column of the looked-up table. */
  readonly fact: string;
}

/** Everybody who depends on a row of the table, by any contract. */
export function followersOf(table: string, contracts: readonly Contract[]): Follower[] {
  return contracts.flatMap(pathsOf).flatMap((path) =>
    path.hops.flatMap((hop, i) =>
      hop.table === table
        ? [
            {
              table: path.table,
              use: path.use,
              column: path.column,
              through: path.hops.slice(0, i),
              fact: hop.column,
            },
          ]
        : [],
    ),
  );
}

/** Tables with those that others look up before them: the initial snapshot reads in this order, so that few rows wait. */
export function lookedUpFirst<D extends { readonly contract: Contract }>(datasets: readonly D[]): D[] {
  const byTable = new Map(datasets.map((dataset) => [dataset.contract.table, dataset]));
  const done = new Set<D>();
  const visit = (dataset: D, under: ReadonlySet<D>): void => {
    if (done.has(dataset) || under.has(dataset)) return;
    const below = new Set([...under, dataset]);
    for (const { hops } of pathsOf(dataset.contract)) {
      for (const { table } of hops.toReversed()) {
        const other = byTable.get(table);
        if (other) visit(other, below);
      }
    }
    done.add(dataset);
  };
  for (const dataset of datasets) visit(dataset, new Set());
  return [...done];
}
