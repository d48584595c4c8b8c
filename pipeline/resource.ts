/**
 * A derived artefact in some server: compared first, then made so. `plan` calls diff(), `apply` calls
 * diff() and then apply() of what differs, in the order of the list of resources.
 *
 * - diff() only reads. Nothing to do is an empty list, also right after apply() (running it twice does nothing).
 * - A change with action `refuse` stops the whole plan before anything is applied.
 * - apply() is idempotent: after a crash half-way it is simply called again.
 */
export interface Resource {
  /** Stable name for people, for example `publication lethe_shop`. */
  readonly name: string;
  readonly system: 'postgres' | 'kafka' | 'connect' | 'registry' | 'elasticsearch' | 'clickhouse' | 'keys';
  diff(): Promise<PlannedChange[]>;
  apply(changes: readonly PlannedChange[]): Promise<void>;
}

export interface PlannedChange {
  readonly action: 'create' | 'update' | 'delete' | 'refuse';
  /** What changes, in names and settings, never values of rows. */
  readonly summary: string;
  /** For `refuse`: the way out. */
  readonly fix?: string;
}
