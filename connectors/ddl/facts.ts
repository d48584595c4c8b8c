import type { ClientBase } from 'pg';
import { quoteName, quoteTable } from '../postgres/quote.ts';
import { type Catalog, readCatalog } from '../postgres/catalog.ts';
import { readPublication } from '../postgres/publication.ts';
import type { Config } from '../../schemas/config.ts';
import { tableParts, type Contract } from '../../schemas/contract.ts';
import { columnsRead } from '../../schemas/dataset.ts';
import { factsOf, pathsOf } from '../../schemas/lookups.ts';
import { publicationName } from '../../schemas/names.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import type { DdlStatement } from './statement.ts';

/** A contract and the file that it stands in. */
export interface ContractFile {
  readonly file: string;
  readonly contract: Contract;
}

/** What the advice on a table's statement rests on. */
export interface TableFacts {
  readonly table: string;
  /** Of the table; undefined if none names it. */
  readonly own?: ContractFile;
  /** Another table's contract is left when this one is taken away. */
  readonly hasOthers: boolean;
  /** Contracts whose paths lead to this table. */
  readonly lookedUpBy: readonly ContractFile[];
  /** Columns that the publication lists; undefined if the table is not in it. */
  readonly listed?: readonly string[];
  readonly key: readonly string[];
  readonly keyConstraint?: string;
  /** Columns that may be null. */
  readonly nullable: ReadonlySet<string>;
  /** Columns that the contract reads for more than their own sake: key, subject, conditions, names, lookups. */
  readonly needed: ReadonlySet<string>;
  readonly publication: string;
  /** The contracts by the table that a rename would lead to. */
  readonly contractOf: (table: string) => ContractFile | undefined;
  /** Whether a column stays of the same kind with another type; undefined where Postgres does not know the type. */
  readonly sameKind: (column: string, type: string) => boolean | undefined;
}

/** Reads what is known of the statements' tables, now. Changes nothing. */
export async function readFacts(
  client: ClientBase,
  config: Config,
  contracts: readonly ContractFile[],
  statements: readonly DdlStatement[],
): Promise<ReadonlyMap<string, TableFacts>> {
  const tables = [...new Set(statements.flatMap(({ table }) => table ?? []))];
  const publication = publicationName(config);
  const [catalog, published] = [
    await readCatalog(client, tables),
    await readPublication(client, publication),
  ];
  const kinds = await kindsOf(client, statements);
  const facts = new Map<string, TableFacts>();
  for (const table of tables) {
    const shape = catalog.tables.get(table);
    const listed = published?.tables.get(table)?.columns;
    const own = contracts.find(({ contract }) => contract.table === table);
    const all = contracts.map(({ contract }) => contract);
    const keyConstraint = await keyConstraintOf(client, table);
    facts.set(table, {
      table,
      ...(own ? { own } : {}),
      hasOthers: contracts.some((other) => other !== own),
      lookedUpBy: contracts.filter(
        (other) =>
          other !== own &&
          pathsOf(other.contract).some(({ hops }) => hops.some((hop) => hop.table === table)),
      ),
      ...(listed ? { listed } : {}),
      key: shape?.primaryKey ?? [],
      ...(keyConstraint === undefined ? {} : { keyConstraint }),
      nullable: new Set(shape?.columns.filter(({ nullable }) => nullable).map(({ name }) => name)),
      needed: new Set([
        ...(shape?.primaryKey ?? []),
        ...(own ? columnsRead(own.contract, factsOf(table, all)) : []),
      ]),
      publication,
      contractOf: (name) => contracts.find(({ contract }) => contract.table === name),
      sameKind: (column, type) => sameKind(catalog, table, column, kinds.get(type)),
    });
  }
  return facts;
}

type TypeNow = Parameters<typeof valueKind>[0];

function sameKind(catalog: Catalog, table: string, name: string, type: TypeNow | undefined) {
  const column = catalog.tables.get(table)?.columns.find((one) => one.name === name);
  if (!column || !type) return undefined;
  const kind = valueKind(column);
  // Of the others bounds, digits or a shape count too.
  return (kind === 'text' || kind === 'int') && kind === valueKind(type);
}

/** The types that columns are to get, as the catalog has them. A type is looked up by its name, nothing is run. */
async function kindsOf(
  client: ClientBase,
  statements: readonly DdlStatement[],
): Promise<ReadonlyMap<string, TypeNow>> {
  const kinds = new Map<string, TypeNow>();
  for (const { actions } of statements) {
    for (const { action } of actions) {
      if (action.kind !== 'retype column') continue;
      const { rows } = await client
        .query<{ name: string; kind: string }>(
          `select typname as name, typtype as kind from pg_catalog.pg_type where oid = to_regtype($1) and typtype <> 'd'`,
          [action.type],
        )
        // A text that is no type at all.
        .catch(() => ({ rows: [] }));
      if (rows[0]) kinds.set(action.type, { typeName: rows[0].name, typeKind: rows[0].kind });
    }
  }
  return kinds;
}

async function keyConstraintOf(client: ClientBase, qualified: string): Promise<string | undefined> {
  const { schema, table } = tableParts(qualified);
  const { rows } = await client.query<{ name: string }>(
    `select k.conname as name from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace where k.contype = 'p' and n.nspname = $1 and c.relname = $2`,
    [schema, table],
  );
  return rows[0]?.name;
}

/** Takes the table out of the publication and puts it back about a statement, so that nobody sees it out. */
export function aroundPublication(facts: TableFacts, statement: string): string {
  const table = quoteTable(facts.table);
  const columns = (facts.listed ?? []).map(quoteName).join(', ');
  const publication = `ALTER PUBLICATION ${quoteName(facts.publication)}`;
  return [
    'BEGIN;',
    `${publication} DROP TABLE ONLY ${table};`,
    `${statement};`,
    `${publication} ADD TABLE ONLY ${table} (${columns});`,
    'COMMIT;',
  ].join(' ');
}

/** Takes the table out of the publication. */
export function outOfPublication(facts: TableFacts): string {
  return `ALTER PUBLICATION ${quoteName(facts.publication)} DROP TABLE ONLY ${quoteTable(facts.table)};`;
}
