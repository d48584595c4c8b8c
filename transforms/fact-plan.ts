import type { Facts } from '../pipeline/lookup.ts';
import type { Fact } from '../schemas/dataset.ts';
import { AvroReader } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { fits, isNull, type RawField } from './raw-type.ts';
import { compileIsUnchanged, type IsUnchanged } from './unchanged-value.ts';

interface CompiledFact {
  readonly name: string;
  readonly field: number;
  readonly raw: RawField;
  readonly text: (reader: AvroReader) => string;
  readonly isUnchanged: IsUnchanged | undefined;
}

/** What other tables look up in a row, compiled from the row's writer schema. */
export class FactPlan {
  private readonly facts: readonly CompiledFact[];
  private readonly reader = new AvroReader();

  constructor(
    facts: readonly Fact[],
    fields: ReadonlyMap<string, { readonly index: number; readonly type: RawField | undefined }>,
    placeholder: string,
  ) {
    this.facts = facts.map(({ name, kind }) => {
      const field = fields.get(name);
      const text = compileCanonicalText(kind);
      if (!field?.type || !text || !fits(field.type, kind)) {
        throw unexpected(`column ${name}, which others look up, is missing in the change events`);
      }
      const isUnchanged = compileIsUnchanged(kind, undefined, placeholder);
      return { name, field: field.index, raw: field.type, text, isUnchanged };
    });
  }

  /** Facts whose value the event does not hold, since it is out of line and unchanged. */
  unchanged(buf: Buffer, offsets: Int32Array, base: number): string[] {
    return this.facts
      .filter(({ field, raw, isUnchanged }) => {
        const from = offsets[base + field]!;
        if (!isUnchanged || (raw.nullBranch !== undefined && isNull(buf, from, raw))) return false;
        return isUnchanged(buf, raw.nullBranch === undefined ? from : from + 1, offsets[base + field + 1]!);
      })
      .map(({ name }) => name);
  }

  read(
    buf: Buffer,
    offsets: Int32Array,
    base: number,
    resolved: ReadonlyMap<string, Buffer | null> | undefined,
  ): Facts {
    const found: Record<string, string | null> = {};
    for (const { name, field, raw, text } of this.facts) {
      const value = resolved?.get(name);
      const from = offsets[base + field]!;
      if (value) found[name] = text(this.reader.reset(value));
      else if (value === null || (raw.nullBranch !== undefined && isNull(buf, from, raw))) found[name] = null;
      else {
        const at = raw.nullBranch === undefined ? from : from + 1;
        found[name] = text(this.reader.reset(buf, at, offsets[base + field + 1]));
      }
    }
    return found;
  }
}
