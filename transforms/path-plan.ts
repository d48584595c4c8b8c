import type { Lookups } from '../pipeline/lookup.ts';
import type { MissingRow } from '../pipeline/transform.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Hop } from '../schemas/lookup-path.ts';
import { AvroReader } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { isNull, type RawField } from './raw-type.ts';
import { compileIsUnchanged, type IsUnchanged } from './unchanged-value.ts';

/** Where a path ends: a value or null, or a row that is not known yet. */
export type PathEnd = { readonly text: string | null } | { readonly missing: MissingRow };

const nowhere: PathEnd = { text: null };

/** A path compiled from the row's writer schema: it starts at a column of the row and goes on over other tables' rows. */
export class PathPlan {
  private readonly column: string;
  private readonly hops: readonly Hop[];
  private readonly field: number;
  private readonly raw: RawField;
  private readonly text: (reader: AvroReader) => string;
  private readonly isUnchanged: IsUnchanged | undefined;
  private readonly reader = new AvroReader();

  constructor(
    column: string,
    hops: readonly Hop[],
    fields: ReadonlyMap<string, { readonly index: number; readonly type: RawField | undefined }>,
    placeholder: string,
  ) {
    const field = fields.get(column);
    const kind = field?.type && identityKind(field.type);
    const text = kind && compileCanonicalText(kind);
    if (!field?.type || !text) {
      throw unexpected(`column ${column}, which says whose a row is, is missing in the change events`);
    }
    this.column = column;
    this.hops = hops;
    this.field = field.index;
    this.raw = field.type;
    this.text = text;
    this.isUnchanged = compileIsUnchanged(kind, undefined, placeholder);
  }

  follow(buf: Buffer, offsets: Int32Array, base: number, lookups: Lookups | undefined): PathEnd {
    let from = offsets[base + this.field]!;
    const to = offsets[base + this.field + 1]!;
    if (this.raw.nullBranch !== undefined) {
      if (isNull(buf, from, this.raw)) return nowhere;
      from++;
    }
    if (this.isUnchanged?.(buf, from, to)) {
      throw new LetheError('VALUE_UNRESOLVED', `column ${this.column} is an unchanged value out of line`);
    }
    let value = this.text(this.reader.reset(buf, from, to));
    for (const { table, column } of this.hops) {
      if (!lookups) throw new Error('a path needs lookups');
      const next = lookups.find(table, value)?.[column];
      // A row that was looked up before this column was asked for does not say it either.
      if (next === undefined) return { missing: { table, digest: lookups.digest(table, value) } };
      if (next === null) return nowhere;
      value = next;
    }
    return { text: value };
  }
}

function identityKind(raw: RawField): 'text' | 'int' | 'long' | undefined {
  if (raw.avro === 'string') return 'text';
  return raw.avro === 'int' || raw.avro === 'long' ? raw.avro : undefined;
}
