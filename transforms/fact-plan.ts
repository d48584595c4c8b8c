import type { Facts } from '../pipeline/lookup.ts';
import type { Fact } from '../schemas/dataset.ts';
import { type RawFields, type Resolved, RowText } from './row-text.ts';

/** What other tables look up in a row, compiled from the row's writer schema. */
export class FactPlan {
  private readonly texts: readonly RowText[];

  /** A fact that the events lack was asked for after they were written: whoever looks it up waits for the rereading. */
  constructor(facts: readonly Fact[], fields: RawFields, placeholder: string) {
    this.texts = facts
      .filter(({ name }) => fields.has(name))
      .map(({ name, kind }) => new RowText(name, kind, fields, placeholder));
  }

  /** Facts whose value the event does not hold, since it is out of line and unchanged. */
  unchanged(buf: Buffer, offsets: Int32Array, base: number): string[] {
    return this.texts
      .filter((text) => text.read(buf, offsets, base) === undefined)
      .map(({ column }) => column);
  }

  /** All facts of the row; undefined if one must be read back first. */
  read(buf: Buffer, offsets: Int32Array, base: number, resolved?: Resolved): Facts | undefined {
    const found: Record<string, string | null> = {};
    for (const text of this.texts) {
      const value = text.read(buf, offsets, base, resolved);
      if (value === undefined) return undefined;
      found[text.column] = value;
    }
    return found;
  }
}
