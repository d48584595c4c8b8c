import { contractFinding } from '../schemas/check-contract.ts';
import { actionNames, type ActionName, type ColumnRule } from '../schemas/contract.ts';
import { cleanKind, needsValue } from '../schemas/dataset.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { type ValueKind, valueKind } from '../schemas/value-kind.ts';
import type { Catalog, CatalogColumn, CatalogTable } from './postgres/catalog.ts';

/** The rules of a contract that need its table: every breach, with its place in the contract. */
export function checkTable(loaded: LoadedContract, catalog: Catalog): Finding[] {
  const { contract } = loaded;
  const table = catalog.tables.get(contract.table);
  if (!table) {
    const message = `the database has no table ${contract.table}.${didYouMean(contract.table, catalog.names)}`;
    const fix = 'Correct the name (Postgres minds the case) or take the contract away.';
    return [contractFinding(loaded, 'TABLE_MISSING', ['table'], message, fix)];
  }
  const problem = kindProblem(table);
  if (problem) return [contractFinding(loaded, 'TABLE_KIND', ['table'], ...problem)];
  return [
    ...checkAccess(loaded, table),
    ...checkKey(loaded, table),
    ...checkColumns(loaded, table, catalog.serverVersion),
    ...checkSubject(loaded, table, catalog.serverVersion),
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

function checkAccess(loaded: LoadedContract, table: CatalogTable): Finding[] {
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
  const unreadable = table.columns.filter((column) => !column.readable && isPublished(loaded, column.name));
  if (unreadable.length > 0) {
    add(
      `the role may not read ${unreadable.map((column) => column.name).join(', ')}`,
      `Run: GRANT SELECT ON ${table.table} TO <the role of lethe.yaml>;`,
    );
  }
  return findings;
}

function isPublished(loaded: LoadedContract, name: string): boolean {
  const { columns, subject } = loaded.contract;
  const rule = Object.hasOwn(columns, name) ? columns[name] : undefined;
  return rule !== undefined && (needsValue(rule) || name === subject?.key);
}

/** Kinds with one canonical text, the same in Kafka, Elasticsearch and ClickHouse. */
const keyKinds: ReadonlySet<ValueKind> = new Set([
  'text',
  'int',
  'long',
  'uuid',
  'decimal',
  'date',
  'timestamptz',
]);
const keyActions: ReadonlySet<ActionName> = new Set(['keep', 'hash']);

function checkKey(loaded: LoadedContract, table: CatalogTable): Finding[] {
  const noKey = keyProblem(table);
  if (noKey) return [contractFinding(loaded, 'NO_PRIMARY_KEY', ['table'], ...noKey)];
  return table.primaryKey.flatMap((name) => {
    const rule = Object.hasOwn(loaded.contract.columns, name) ? loaded.contract.columns[name] : undefined;
    if (!rule) {
      const message = `the key column ${name} is not listed: rows could not be told apart`;
      return [
        contractFinding(
          loaded,
          'KEY_NOT_LISTED',
          ['columns'],
          message,
          `Add ${name} with keep or hash.`,
          'key',
        ),
      ];
    }
    const findings: Finding[] = [];
    const path = ['columns', name, 'action'];
    if (!keyActions.has(rule.action)) {
      const message = `${name} is part of the primary key: ${rule.action} would make rows indistinguishable`;
      findings.push(contractFinding(loaded, 'KEY_ACTION', path, message, 'Use keep or hash.'));
    }
    const column = table.columns.find((candidate) => candidate.name === name);
    const kind = column && valueKind(column);
    if (kind && !keyKinds.has(kind)) {
      const message = `${name} is ${column.typeText}, which has no one canonical text to be a key`;
      const fix = `A key may be ${[...keyKinds].join(', ')}.`;
      findings.push(contractFinding(loaded, 'KEY_TYPE', ['columns', name], message, fix, 'key'));
    }
    return findings;
  });
}

function keyProblem(table: CatalogTable): readonly [message: string, fix: string] | undefined {
  if (table.primaryKey.length === 0) {
    return [
      `${table.table} has no primary key: its rows could be neither updated nor deleted downstream`,
      `Add one: ALTER TABLE ${table.table} ADD PRIMARY KEY (…);`,
    ];
  }
  if (table.keyDeferrable) {
    return [
      `the primary key of ${table.table} is deferrable: once published, Postgres would refuse the application's UPDATE and DELETE`,
      'Make the primary key NOT DEFERRABLE.',
    ];
  }
  return undefined;
}

function checkColumns(loaded: LoadedContract, table: CatalogTable, serverVersion: number): Finding[] {
  return Object.entries(loaded.contract.columns).flatMap(([name, rule]) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (!column) {
      const names = table.columns.map((candidate) => candidate.name);
      const message = `${table.table} has no column ${name}.${didYouMean(name, names)}`;
      const fix = `Correct the name or take it out; the table has ${names.join(', ')}.`;
      return [contractFinding(loaded, 'COLUMN_MISSING', ['columns', name], message, fix, 'key')];
    }
    const problem = columnProblem(column, rule, serverVersion);
    return problem
      ? [contractFinding(loaded, problem[0], ['columns', name, 'action'], problem[1], problem[2])]
      : [];
  });
}

function columnProblem(
  column: CatalogColumn,
  rule: ColumnRule,
  serverVersion: number,
): readonly [code: FindingCode, message: string, fix: string] | undefined {
  if (rule.action === 'drop') return undefined;
  if (needsValue(rule)) {
    const generated = generatedProblem(column, serverVersion);
    if (generated) return ['COLUMN_GENERATED', generated, 'Use drop or null, or compute it downstream.'];
  }
  const kind = valueKind(column);
  if (!kind) {
    return ['TYPE_NOT_TAKEN', `${column.name} is ${column.typeText}, a type that is not taken`, 'Use drop.'];
  }
  if (cleanKind(rule, kind) === undefined) {
    const possible = actionNames.filter(
      (action) => cleanKind({ ...rule, action } as ColumnRule, kind) !== undefined,
    );
    const message = `${rule.action} cannot treat ${column.name}, which is ${column.typeText}`;
    return ['ACTION_ON_TYPE', message, `Use one of: ${possible.join(', ')}.`];
  }
  return undefined;
}

/** Stored generated columns can be published since PostgreSQL 18, virtual ones never. */
function generatedProblem(column: CatalogColumn, serverVersion: number): string | undefined {
  if (column.generation === 'virtual')
    return `${column.name} is a virtual generated column: it is not in the WAL`;
  if (column.generation === 'stored' && serverVersion < 180000) {
    return `${column.name} is a generated column: before PostgreSQL 18 it cannot be published`;
  }
  return undefined;
}

/** Kinds that a subject's name in the key store can be made of. */
const subjectKinds: ReadonlySet<ValueKind> = new Set(['text', 'int', 'long', 'uuid']);

function checkSubject(loaded: LoadedContract, table: CatalogTable, serverVersion: number): Finding[] {
  const { subject, columns } = loaded.contract;
  if (!subject) return [];
  const add = (
    code: FindingCode,
    message: string,
    fix: string,
    severity: Finding['severity'] = 'error',
  ): Finding[] => [contractFinding(loaded, code, ['subject', 'key'], message, fix, 'value', severity)];
  const column = table.columns.find((candidate) => candidate.name === subject.key);
  if (!column) {
    const names = table.columns.map((candidate) => candidate.name);
    const message = `${table.table} has no column ${subject.key}.${didYouMean(subject.key, names)}`;
    return add('SUBJECT_COLUMN_MISSING', message, `Name one of ${names.join(', ')}.`);
  }
  if (!Object.hasOwn(columns, subject.key)) {
    const message = `the subject's column ${subject.key} is not listed: it would not reach the processor`;
    return add(
      'SUBJECT_COLUMN_MISSING',
      message,
      `Add ${subject.key} to columns; with drop it goes no further.`,
    );
  }
  const generated = generatedProblem(column, serverVersion);
  if (generated) return add('COLUMN_GENERATED', generated, 'Name an ordinary column.');
  const kind = valueKind(column);
  if (!kind || !subjectKinds.has(kind)) {
    const message = `${subject.key} is ${column.typeText}, which cannot say whose row it is`;
    return add('SUBJECT_TYPE', message, `A subject may be ${[...subjectKinds].join(', ')}.`);
  }
  if (column.nullable && Object.values(columns).some((rule) => rule.action === 'encrypt')) {
    const message = `${subject.key} may be null: a row without a subject becomes a dead letter`;
    return add('SUBJECT_NULLABLE', message, `Make ${subject.key} NOT NULL at the source.`, 'warning');
  }
  return [];
}

/** What will happen without being asked for: said, not refused. */
function noticesOf(loaded: LoadedContract, table: CatalogTable): Finding[] {
  const findings: Finding[] = [];
  const unlisted = table.columns.filter((column) => !Object.hasOwn(loaded.contract.columns, column.name));
  if (unlisted.length > 0) {
    const names = unlisted.map((column) => column.name).join(', ');
    const message = `not named by the contract, so not passed: ${names}`;
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
