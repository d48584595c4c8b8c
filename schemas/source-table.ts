/** A column as Postgres' catalog describes it; domains are resolved to their base type. */
export interface SourceColumn {
  readonly name: string;
  /** Base type's internal name: `int4`, `text`, `numeric`, `timestamptz`, `_text` for an array, ... */
  readonly typeName: string;
  /** `b` base, `e` enum, `c` composite, `r` range, `m` multirange. */
  readonly typeKind: string;
  /** As a person writes it: `character varying(40)`, `numeric(10,2)`. */
  readonly typeText: string;
  /** For numeric(p,s); absent for unconstrained numeric. */
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable: boolean;
  /** A generated column (stored or virtual). */
  readonly generated: boolean;
}

/** A table as Postgres' catalog describes it. */
export interface SourceTable {
  /** `schema.table`. */
  readonly table: string;
  readonly columns: readonly SourceColumn[];
  /** Columns of the primary key in key order; empty if there is none. */
  readonly primaryKey: readonly string[];
  readonly replicaIdentity: 'default' | 'full' | 'nothing' | 'index';
  /** `r` ordinary, `p` partitioned, `v` view, `f` foreign, ... */
  readonly relKind: string;
}
