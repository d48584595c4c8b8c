import type { Fate, MissingRow } from '../pipeline/transform.ts';
import type { Contract } from '../schemas/contract.ts';
import { LetheError } from '../schemas/errors.ts';
import { isOfRecord } from '../schemas/playbooks.ts';
import { header } from '../schemas/record-headers.ts';

/** A row that may not pass: a delete to everybody downstream, whatever they had of it before. */
export function withdrawn(
  key: string,
  headers: Readonly<Record<string, string>>,
): Extract<Fate, { kind: 'clean' }> {
  return { kind: 'clean', key, value: null, headers: { ...headers, [header.op]: 'd' } };
}

/** A row of a person who was forgotten: nothing of it passes, and what anybody still has of it goes. */
export function erased(key: string, headers: Readonly<Record<string, string>>): Fate {
  return { ...withdrawn(key, headers), erased: true };
}

/** A row that waits for another one. */
export function parked(headers: Readonly<Record<string, string>>, waitsFor: MissingRow): Fate {
  return { kind: 'parked', version: headers[header.version]!, waitsFor };
}

/** A failure of one record is its outcome; any other goes up, to be tried again. */
export function failed(error: unknown): Fate {
  if (isOfRecord(error)) return { kind: 'failed', code: error.code, reason: error.message };
  throw error;
}

/** A TRUNCATE as the contract has it; TABLE_HALTED, to be tried again until it says what is to become of the rows. */
export function truncated(contract: Contract, headers: Readonly<Record<string, string>>): Fate {
  switch (contract.truncate) {
    case 'ignore':
      return { kind: 'skipped', reason: 'truncate' };
    case 'delete':
      return { kind: 'truncated', headers: { ...headers, [header.op]: 'd' } };
    default:
      throw new LetheError('TABLE_HALTED', `${contract.table} was truncated at the source`, {
        fix: 'Say in its contract what is to become of the rows, truncate: delete or ignore, and start what runs again.',
      });
  }
}
