import type { Config } from './config.ts';
import type { Finding, FindingCode } from './finding.ts';
import type { LoadedContract } from './load-contracts.ts';
import { type FieldPath, fieldOf, type SourceDocument } from './source-document.ts';

/**
 * Recipients who would not be told, and nobody would notice: of a table that no contract is for, or whose rows are nobody's; two of one name.
 * `contracts`: all that there are, none left out for a fault of its own.
 */
export function checkRecipients(
  { erasure }: Pick<Config, 'erasure'>,
  document: SourceDocument,
  contracts: readonly LoadedContract[],
): Finding[] {
  const subjects = new Map(contracts.map(({ contract }) => [contract.table, contract.subject]));
  const names = new Set<string>();
  return erasure.recipients.flatMap(({ name, tables }, i) => {
    const at = (path: FieldPath, code: FindingCode, message: string, fix: string): Finding => {
      const field = ['erasure', 'recipients', i, ...path];
      const place = document.valueAt(field);
      return { severity: 'error', code, file: document.file, ...place, field: fieldOf(field), message, fix };
    };
    const twice = names.has(name)
      ? [at(['name'], 'NAMES_COLLIDE', 'two recipients of this name', 'Name all of his tables in one entry.')]
      : [];
    names.add(name);
    const untold = tables.flatMap((table, j) => {
      const path = ['tables', j];
      if (!subjects.has(table)) {
        const fix = 'Write schema.table as a contract has it, or take it out.';
        return [at(path, 'UNKNOWN_VALUE', 'no contract is for this table', fix)];
      }
      if (subjects.get(table) !== undefined) return [];
      const why = 'the rows of this table are nobody’s: its recipients would never be told';
      return [at(path, 'WRONG_VALUE', why, 'Declare a subject in its contract, or take it out.')];
    });
    return [...twice, ...untold];
  });
}
