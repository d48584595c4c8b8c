import { contractFinding } from '../schemas/contract-finding.ts';
import { keyActions } from '../schemas/dataset.ts';
import type { Finding } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { type ValueKind, valueKind } from '../schemas/value-kind.ts';
import type { CatalogTable } from './postgres/catalog.ts';

/** Kinds with one canonical text, the same in Kafka, Elasticsearch and ClickHouse. */
const keyKinds: ReadonlySet<ValueKind> = new Set([
  'text',
  'int',
  'long',
  'uuid',
  'inet',
  'decimal',
  'date',
  'timestamptz',
]);
const ways = [...keyActions].join(', ');

/** A row must have one key, the same everywhere, that is there before and after the contract. */
export function checkKey(loaded: LoadedContract, table: CatalogTable): Finding[] {
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
          `Add ${name} with one of: ${ways}.`,
          'key',
        ),
      ];
    }
    const findings: Finding[] = [];
    const path = ['columns', name, 'action'];
    if (!keyActions.has(rule.action)) {
      const message = `${name} is part of the primary key: ${rule.action} would make rows indistinguishable`;
      findings.push(contractFinding(loaded, 'KEY_ACTION', path, message, `Use one of: ${ways}.`));
    }
    if (loaded.contract.sinks.some((sink) => rule.sinks?.includes(sink) === false)) {
      const message = `${name} is part of the primary key: every store needs it`;
      const keySinks = ['columns', name, 'sinks'];
      findings.push(
        contractFinding(loaded, 'KEY_NOT_LISTED', keySinks, message, 'Remove sinks here.', 'key'),
      );
    }
    const column = table.columns.find((candidate) => candidate.name === name);
    const kind = column && valueKind(column);
    // Equal ranges of numeric may be printed in two ways.
    if (kind && (!keyKinds.has(kind) || column.typeKind === 'r')) {
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
