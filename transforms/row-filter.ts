import type { RowCondition } from '../schemas/row-condition.ts';
import { AvroReader } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { fits, isNull, type RawField } from './raw-type.ts';
import { compileIsUnchanged, type IsUnchanged } from './unchanged-value.ts';

interface CompiledCondition extends RowCondition {
  readonly field: number;
  readonly raw: RawField;
  readonly text: (reader: AvroReader) => string;
  readonly isUnchanged: IsUnchanged | undefined;
}

/** Values that stand for those in the raw row, by column; null for SQL null. */
type Resolved = ReadonlyMap<string, Buffer | null>;

const none: readonly string[] = [];

/**
 * The contract's conditions on a row, compiled from the row's writer schema. A column that the events lack, or have under another
 * type, fails the record: nobody knows then whether the row may pass.
 */
export class RowFilter {
  private readonly conditions: readonly CompiledCondition[];
  private readonly reader = new AvroReader();

  constructor(
    conditions: readonly RowCondition[],
    fields: ReadonlyMap<string, { readonly index: number; readonly type: RawField | undefined }>,
    placeholder: string,
  ) {
    this.conditions = conditions.map((condition) => {
      const field = fields.get(condition.column);
      const text = compileCanonicalText(condition.kind);
      if (!field?.type || !text || !fits(field.type, condition.kind)) {
        throw unexpected(
          `column ${condition.column}, which a condition needs, is missing in the change events`,
        );
      }
      const isUnchanged = compileIsUnchanged(condition.kind, undefined, placeholder);
      return { ...condition, field: field.index, raw: field.type, text, isUnchanged };
    });
  }

  /** Does the row pass? Undefined where that hangs on an unchanged value that the event does not hold; see `unchanged`. */
  passes(buf: Buffer, offsets: Int32Array, base: number, resolved?: Resolved): boolean | undefined {
    let known = true;
    for (const condition of this.conditions) {
      const text = this.textOf(condition, buf, offsets, base, resolved);
      if (text === undefined) known = false;
      else if (!condition.test(text)) return false;
    }
    return known ? true : undefined;
  }

  /** Columns of conditions whose value the event does not hold. */
  unchanged(buf: Buffer, offsets: Int32Array, base: number): readonly string[] {
    if (this.conditions.length === 0) return none;
    return this.conditions
      .filter((condition) => this.textOf(condition, buf, offsets, base, undefined) === undefined)
      .map(({ column }) => column);
  }

  private textOf(
    { column, field, raw, text, isUnchanged }: CompiledCondition,
    buf: Buffer,
    offsets: Int32Array,
    base: number,
    resolved: Resolved | undefined,
  ): string | null | undefined {
    const value = resolved?.get(column);
    if (value === null) return null;
    if (value) return text(this.reader.reset(value));
    let from = offsets[base + field]!;
    const to = offsets[base + field + 1]!;
    if (raw.nullBranch !== undefined) {
      if (isNull(buf, from, raw)) return null;
      from++;
    }
    if (isUnchanged?.(buf, from, to)) return undefined;
    return text(this.reader.reset(buf, from, to));
  }
}
