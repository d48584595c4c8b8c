import type { Lookups } from '../pipeline/lookup.ts';
import type { MissingRow } from '../pipeline/transform.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Hop } from '../schemas/lookup-path.ts';
import type { ValueKind } from '../schemas/value-kind.ts';
import type { RawField } from './raw-type.ts';
import { type RawFields, RowText } from './row-text.ts';

/** Where a path ends: a value or null, or a row that is not known yet. */
export type PathEnd = { readonly text: string | null } | { readonly missing: MissingRow };

const nowhere: PathEnd = { text: null };

/** A path compiled from the row's writer schema: it starts at a column of the row and goes on over other tables' rows. */
export class PathPlan {
  readonly start: RowText;
  private readonly hops: readonly Hop[];

  constructor(column: string, hops: readonly Hop[], fields: RawFields, placeholder: string) {
    this.start = new RowText(column, identityKind(fields.get(column)?.type), fields, placeholder);
    this.hops = hops;
  }

  follow(buf: Buffer, offsets: Int32Array, base: number, lookups: Lookups | undefined): PathEnd {
    let value = this.start.read(buf, offsets, base);
    if (value === undefined) {
      throw new LetheError(
        'VALUE_UNRESOLVED',
        `column ${this.start.column} is an unchanged value out of line`,
      );
    }
    if (value === null) return nowhere;
    for (const { table, column } of this.hops) {
      if (!lookups) throw new Error('a path needs lookups');
      const next: string | null | undefined = lookups.find(table, value)?.[column];
      // A row that was looked up before this column was asked for does not say it either.
      if (next === undefined) return { missing: { table, digest: lookups.digest(table, value) } };
      if (next === null) return nowhere;
      value = next;
    }
    return { text: value };
  }
}

/** What identifies a person or a row is an integer or text; anything else is not what the contract was applied with. */
function identityKind(raw: RawField | undefined): ValueKind {
  return raw?.avro === 'int' || raw?.avro === 'long' ? raw.avro : 'text';
}
