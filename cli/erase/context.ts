import { createHash } from 'node:crypto';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import type { OpenErasure } from '../../erasure/runner.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Project } from '../project.ts';

/** What the steps of erasures work with. */
export interface ErasureContext {
  readonly project: Project;
  readonly keys: PostgresKeyStore;
  /** Log files, or folders of them, that a scan is to read. */
  readonly logs: readonly string[];
  readonly say: (text: string) => void;
}

/** The tables whose rows belong to persons of these kinds. */
export function datasetsOf({ project }: ErasureContext, types: ReadonlySet<string>): Dataset[] {
  return project.datasets.filter(({ subject }) => subject !== undefined && types.has(subject.type));
}

export function typesOf(erasures: readonly OpenErasure[]): ReadonlySet<string> {
  return new Set(erasures.map(({ inventory }) => inventory.subject.type));
}

/** Keys of all records of these persons in a table. */
export function keysIn(erasures: readonly OpenErasure[], table: string): string[] {
  const keys = erasures.flatMap(({ inventory }) =>
    inventory.records.filter((record) => record.table === table),
  );
  return [...new Set(keys.map(({ key }) => key))];
}

/** Keys of records in a table that were these persons' and are somebody else's by now. */
export function keysOfOthersIn(erasures: readonly OpenErasure[], table: string): string[] {
  return erasures.flatMap(({ inventory }) =>
    inventory.others.filter((record) => record.table === table).map(({ key }) => key),
  );
}

/** Names a batch of removals from a table: the same for the same requests, so that what was cut short is taken up; of them it says nothing. */
export function batchOf(erasures: readonly OpenErasure[], table: string): string {
  const ids = erasures.map(({ request }) => request.id).toSorted();
  return createHash('sha256')
    .update([table, ...ids].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

/** How many records of a person stand in how many tables. */
export function countRecords({ inventory: { records } }: OpenErasure): { records: number; tables: number } {
  return { records: records.length, tables: new Set(records.map(({ table }) => table)).size };
}

/** ERASURE_REFUSED for a kind of person that no contract speaks of. */
export function requireType({ datasets }: Project, type: string): void {
  const types = [...new Set(datasets.flatMap(({ subject }) => subject?.type ?? []))];
  if (types.includes(type)) return;
  throw new LetheError('ERASURE_REFUSED', `no contract has rows of a ${type}`, {
    fix:
      types.length > 0
        ? `Write --subject TYPE:ID with one of: ${types.join(', ')}.`
        : 'Declare a subject in the contracts.',
  });
}
