import { contractFinding } from '../schemas/contract-finding.ts';
import { nameColumns } from '../schemas/column-rule.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import type { Finding, FindingCode } from '../schemas/finding.ts';
import type { LoadedContract } from '../schemas/load-contracts.ts';
import { valueKind } from '../schemas/value-kind.ts';
import { generatedProblem } from './check-columns.ts';
import type { CatalogTable } from './postgres/catalog.ts';

/** The columns whose names are to be redacted from others must reach the processor as texts. */
export function checkNames(loaded: LoadedContract, table: CatalogTable, serverVersion: number): Finding[] {
  return Object.entries(loaded.contract.columns).flatMap(([column, rule]) =>
    [...new Set(nameColumns(rule))].flatMap((name) => {
      const add = (code: FindingCode, message: string, fix: string): Finding[] => [
        contractFinding(loaded, code, ['columns', column], message, fix, 'key'),
      ];
      const found = table.columns.find((candidate) => candidate.name === name);
      if (!found) {
        const names = table.columns.map((candidate) => candidate.name);
        const message = `${table.table} has no column ${name}, whose names are to be redacted.${didYouMean(name, names)}`;
        return add('COLUMN_MISSING', message, `Name one of ${names.join(', ')}.`);
      }
      if (!Object.hasOwn(loaded.contract.columns, name)) {
        const message = `${name}, whose names are to be redacted, is not listed: it would not reach the processor`;
        return add('COLUMN_MISSING', message, `Add ${name} to columns; with drop it goes no further.`);
      }
      const generated = generatedProblem(found, serverVersion);
      if (generated) return add('COLUMN_GENERATED', generated, 'Name an ordinary column.');
      if (valueKind(found) === 'text') return [];
      return add(
        'ACTION_ON_TYPE',
        `${name} is ${found.typeText}, which holds no name`,
        'Name a column of text.',
      );
    }),
  );
}
