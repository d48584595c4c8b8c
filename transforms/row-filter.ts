import type { RowCondition } from '../schemas/row-condition.ts';
import { type RawFields, type Resolved, RowText } from './row-text.ts';

/** The contract's conditions on a row, compiled from the row's writer schema. */
export class RowFilter {
  /** The columns that the conditions are on. */
  readonly texts: readonly RowText[];
  private readonly conditions: readonly RowCondition[];

  constructor(conditions: readonly RowCondition[], fields: RawFields, placeholder: string) {
    this.conditions = conditions;
    this.texts = conditions.map(({ column, kind }) => new RowText(column, kind, fields, placeholder));
  }

  /** Does the row pass? Undefined where that hangs on an unchanged value that the event does not hold. */
  passes(buf: Buffer, offsets: Int32Array, base: number, resolved?: Resolved): boolean | undefined {
    let known = true;
    for (const [i, condition] of this.conditions.entries()) {
      const text = this.texts[i]!.read(buf, offsets, base, resolved);
      if (text === undefined) known = false;
      else if (!condition.test(text)) return false;
    }
    return known ? true : undefined;
  }
}
