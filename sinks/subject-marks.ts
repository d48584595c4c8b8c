/**
 * By what persons can be told in the rows of a store, whatever key those are under: texts of the column that says whose a row is, and
 * what the base64 of every ciphertext of theirs begins with.
 */
export interface SubjectMarks {
  readonly values: readonly string[];
  readonly prefixes: readonly string[];
}

/** So many characters each of {@link SubjectMarks.prefixes} has: 18 bytes. */
export const prefixLength = 24;

/** What came of looking for persons' rows in one index or table; numbers alone. */
export interface FoundBySubject {
  readonly name: string;
  /** Rows that are no tombstones. */
  readonly records: number;
  /** Rows of the persons: they were there, and are deleted. */
  readonly found: number;
  /** Rows of others that the same search finds by what stands in them: without one its word does not count. */
  readonly controls: number;
}

/** How many others are looked for. */
export const othersLookedFor = 5;
