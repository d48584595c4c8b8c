/**
 * Headers of every clean record, tombstones included (a tombstone has nothing else to carry its version).
 * All are text in UTF-8. They hold positions and digests, never a value of a row.
 */
export const header = {
  /** {@link formatVersion} of the change. */
  version: 'lethe-version',
  /** Deterministic id of the change event: 32 hex digits. */
  eventId: 'lethe-event-id',
  /** W3C trace id of the source transaction: 32 hex digits. */
  traceId: 'lethe-trace-id',
  /** `c`, `u`, `d`, `r` (snapshot read), as Debezium says it. */
  op: 'lethe-op',
  /** Commit time at the source, milliseconds since the epoch. */
  commitMs: 'lethe-commit-ms',
  /** Digest of the contract that made the record: 16 hex digits. */
  contract: 'lethe-contract',
} as const;

/** Headers of a dead letter besides those above; none of them holds a value of the row. */
export const deadLetterHeader = {
  code: 'lethe-error-code',
  /** `transform` or the sink's name. */
  stage: 'lethe-stage',
  topic: 'lethe-source-topic',
  partition: 'lethe-source-partition',
  offset: 'lethe-source-offset',
  /** Id of the key that the payload is encrypted under. */
  keyId: 'lethe-key-id',
} as const;

/**
 * Header of a raw record without a value that says: the row with this key was not at the source at that time, in ms since the epoch.
 * Put there by a retry of dead letters; whatever Debezium writes after it is newer.
 */
export const absentHeader = 'lethe-absent';

/** Header of every raw record that the connector writes: the {@link Version} epoch of the source that it reads, in decimal. */
export const epochHeader = 'lethe-epoch';
