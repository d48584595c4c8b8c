import type { Outcome } from '../pipeline/transform.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { header } from '../schemas/record-headers.ts';
import type { SubjectKind } from './protection.ts';

/** A record of a clean topic, and whose it is. */
export interface IndexEntry {
  /** Canonical key of the record. */
  readonly key: string;
  /** As its header has it. */
  readonly version: string;
  /** Null where it is nobody's, or gone. */
  readonly subjectId: string | null;
  /** Is there no such record any more? */
  readonly isGone: boolean;
}

/** Where it is noted which records are whose, for the day that a person is to be forgotten; the composition root passes the real one in. */
export interface SubjectIndex {
  /**
   * In the order of the changes; what a newer version said is kept. Durable when it returns. Fails with KEY_STORE_UNAVAILABLE, and then
   * none of the records may be committed.
   */
  note(table: string, kind: SubjectKind, entries: readonly IndexEntry[]): Promise<void>;
  /** Persons whose own rows were deleted, where their contract says that this starts an erasure. Durable and failing as the other. */
  ended(kind: SubjectKind, ids: readonly string[]): Promise<void>;
}

/** Notes whose the records of a batch are, before any of them is committed: the index may have too many, never too few. */
export async function noteSubjects(
  index: SubjectIndex,
  { table, subject }: Pick<Dataset, 'table' | 'subject'>,
  outcomes: readonly Outcome[],
  whose: readonly (string | null)[],
): Promise<void> {
  const entries = outcomes.flatMap((outcome, i): IndexEntry[] => {
    if (outcome.kind !== 'clean') return [];
    const { key, value, headers } = outcome;
    return [
      {
        key,
        version: headers[header.version]!,
        subjectId: value === null ? null : whose[i]!,
        isGone: value === null,
      },
    ];
  });
  if (entries.length > 0) await index.note(table, subject!, entries);
  const ended = outcomes.flatMap((outcome) => (outcome.kind === 'clean' ? (outcome.endedSubject ?? []) : []));
  if (ended.length > 0) await index.ended(subject!, [...new Set(ended)]);
}
