import type { ClientBase } from 'pg';
import type { Dataset } from '../../schemas/dataset.ts';
import { type SourceErasure, sourceErasure } from '../../schemas/erasure-rule.ts';
import { type Catalog, readCatalog } from './catalog.ts';
import { erasureOrder, type OrderEdge } from './erasure-order.ts';
import { type Disposition, type ErasureGuard, followReferences } from './erasure-references.ts';
import { erasureRights } from './erasure-rights.ts';
import { indexedColumns, readForeignKeys } from './foreign-keys.ts';
import type { Obstacle } from './preflight.ts';
import { type SubjectCondition, subjectCondition, tablesOnTheWay } from './subject-rows.ts';

/** One statement of the plan. */
export interface ErasureStep {
  readonly table: string;
  readonly action: 'delete' | 'null';
  /** Set to null; empty with `delete`. */
  readonly columns: readonly string[];
  readonly own: SubjectCondition;
  /** Only opens a circle of references; the rows go with a later step of the table. */
  readonly isCut: boolean;
}

/** How the rows of one kind of person are erased at the source; the same for every person, and made of names alone. */
export interface SourceErasurePlan {
  readonly subjectType: string;
  /** In this order, in one transaction. */
  readonly steps: readonly ErasureStep[];
  /** Constraints that are looked at when all is done, as SQL writes them. */
  readonly deferred: readonly string[];
  /** Looks at a person's rows before anything is done. */
  readonly guards: readonly ErasureGuard[];
  /** Tables with rows of such a person, and what their contracts say becomes of them. */
  readonly tables: readonly { readonly table: string; readonly source: SourceErasure }[];
  /** With an error among them nothing may be done; a warning tells what goes along, or takes long. */
  readonly obstacles: readonly Obstacle[];
}

type Owned = Dataset & { readonly subject: NonNullable<Dataset['subject']> };

/**
 * Plans how rows of persons of this type are erased at the source, as their contracts say: children before parents, with everything that
 * stands in the way. `datasets` are all there are: paths lead over tables of others. Reads the catalog only.
 */
export async function planSourceErasure(
  client: ClientBase,
  datasets: readonly Dataset[],
  subjectType: string,
): Promise<SourceErasurePlan> {
  const owned = datasets.filter((dataset): dataset is Owned => dataset.subject?.type === subjectType);
  const onTheWay = owned.flatMap(tablesOnTheWay);
  const catalog = await readCatalog(client, [...new Set([...owned.map(({ table }) => table), ...onTheWay])]);
  const tables = owned.map(({ table, contract }) => ({ table, source: sourceErasure(contract) }));
  const gone = [...owned.map(({ table }) => table), ...onTheWay].filter(
    (table) => !catalog.tables.has(table),
  );
  if (gone.length > 0) {
    const message = `the source has no table ${[...new Set(gone)].join(', ')}`;
    const obstacles = [refusal(message, 'Run `lethe check`.')];
    return { subjectType, steps: [], deferred: [], guards: [], tables, obstacles };
  }
  const planned = new Map(
    datasets.map((dataset) => [dataset.table, dispositionOf(dataset, subjectType, catalog)]),
  );
  const references = followReferences(planned, await readForeignKeys(client));
  const erased = owned.filter(({ contract }) => sourceErasure(contract) !== 'application');
  const looked = new Set(owned.flatMap(lookedAt).map((place) => place.join(' ')));
  const { order, deferred, cut, circle } = erasureOrder(
    erased.map(({ table }) => table),
    [...references.edges, ...pathEdges(erased)].map((edge) => withoutLooked(edge, looked)),
  );
  const stepOf = (table: string, isCut: boolean, columns: readonly string[]): ErasureStep => {
    const { fate, own } = planned.get(table)!;
    const action = isCut || fate === 'null' ? 'null' : 'delete';
    return { table, action, columns, own: own!, isCut };
  };
  const steps = [
    ...cut.map(({ before, nullable = [] }) => stepOf(before, true, nullable)),
    ...order.map((table) => stepOf(table, false, planned.get(table)!.columns)),
  ];
  return {
    subjectType,
    steps,
    deferred,
    guards: references.guards,
    tables,
    obstacles: [
      ...references.obstacles,
      ...(circle.length > 0 ? [inCircle(circle)] : []),
      ...hiddenRows(erased, catalog),
      ...(await walksThrough(client, erased)),
      ...(await erasureRights(client, steps, erased.flatMap(lookedAt))),
    ],
  };
}

function dispositionOf(dataset: Dataset, subjectType: string, catalog: Catalog): Disposition {
  const { table, subject, contract } = dataset;
  if (subject?.type !== subjectType) {
    // What is kept by law stays, whoever it is about.
    return { fate: contract.erasure?.retain ? 'stays' : 'application', columns: [] };
  }
  const own = subjectCondition({ table, subject }, catalog);
  const source = sourceErasure(contract);
  if (source === 'application') {
    return { fate: contract.erasure?.retain ? 'stays' : 'application', columns: [], own };
  }
  const columns = source === 'null' ? (contract.erasure?.columns ?? []) : [];
  return { fate: source, columns, own };
}

/** Rows that are found by another table's go before them. */
function pathEdges(erased: readonly Owned[]): OrderEdge[] {
  const tables = new Set(erased.map(({ table }) => table));
  return erased.flatMap((dataset) =>
    tablesOnTheWay(dataset)
      .filter((table) => tables.has(table))
      .map((table): OrderEdge => ({ before: dataset.table, after: table, otherwise: 'hard' })),
  );
}

/** Columns by which rows are found: each is compared with a value. */
function lookedAt({ table, subject }: Owned): (readonly [table: string, column: string])[] {
  return [[table, subject.key], ...subject.hops.map((hop) => [hop.table, hop.column] as const)];
}

/** Set to null, a column by which rows are found would lose them. */
function withoutLooked(edge: OrderEdge, looked: ReadonlySet<string>): OrderEdge {
  if (!edge.nullable) return edge;
  return { ...edge, nullable: edge.nullable.filter((column) => !looked.has(`${edge.before} ${column}`)) };
}

function inCircle(circle: readonly string[]): Obstacle {
  const message = `rows of ${circle.join(', ')} refer to each other in a circle, and Postgres takes no order of them`;
  return refusal(message, 'Make one of the foreign keys DEFERRABLE, or one of their columns nullable.');
}

function hiddenRows(erased: readonly Owned[], { tables }: Catalog): Obstacle[] {
  return erased
    .filter(({ table }) => tables.get(table)!.rowsHidden)
    .map(({ table }) =>
      refusal(
        `row security hides rows of ${table} from the role: they would stay`,
        'Give the role BYPASSRLS.',
      ),
    );
}

async function walksThrough(client: ClientBase, erased: readonly Owned[]): Promise<Obstacle[]> {
  const places = [...new Map(erased.flatMap(lookedAt).map((place) => [place.join(' '), place])).values()];
  const indexed = await indexedColumns(client, places);
  return places
    .filter((place) => !indexed.has(place.join(' ')))
    .map(([table, column]) => ({
      severity: 'warning',
      code: 'ERASURE_RULE',
      message: `no index of ${table} leads with ${column}: the whole table is read for each person`,
      fix: `Run: CREATE INDEX CONCURRENTLY ON ${table} (${column});`,
    }));
}

function refusal(message: string, fix: string): Obstacle {
  return { severity: 'error', code: 'PLAN_REFUSED', message, fix };
}
