import type { DatasetColumn } from '../schemas/dataset.ts';
import type { RawField } from './raw-type.ts';

const firstLetter = 0x41;

/**
 * Sees by lengths and first letters alone that a row needs no second look: no value is as long as Debezium's stand-in for
 * an unchanged one, and no number starts with a letter. It may say no where yes would be right, never the other way round.
 */
export class OrdinaryRow {
  /** Fields that may hold the stand-in, and how long they would be with it, branch and length included. */
  private readonly texts: Int32Array;
  private readonly lengths: Int32Array;
  /** Fields of numbers in text, and where in them the first digit stands. */
  private readonly decimals: Int32Array;
  private readonly firstDigits: Int32Array;
  /** Arrays are long in as many ways as they are written; they are looked at one by one. */
  private readonly hasArrays: boolean;

  constructor(
    columns: readonly DatasetColumn[],
    raw: ReadonlyMap<string, { readonly index: number; readonly type: RawField | undefined }>,
    placeholder: string,
  ) {
    const text = Buffer.byteLength(placeholder);
    const encoded = text + (text < 64 ? 1 : 2);
    const fields = columns.flatMap((column) => {
      const field = raw.get(column.name);
      if (!field?.type || column.rule.action === 'null') return [];
      return [
        { kind: column.source, index: field.index, branch: field.type.nullBranch === undefined ? 0 : 1 },
      ];
    });
    const texts = fields.filter(({ kind }) => ['text', 'json', 'bytes', 'decimal'].includes(kind));
    const decimals = fields.filter(({ kind }) => kind === 'decimal');
    this.texts = Int32Array.from(texts, (f) => f.index);
    this.lengths = Int32Array.from(texts, (f) => f.branch + encoded);
    this.decimals = Int32Array.from(decimals, (f) => f.index);
    this.firstDigits = Int32Array.from(decimals, (f) => f.branch + 1);
    this.hasArrays = fields.some(({ kind }) => kind === 'array');
  }

  is(buf: Buffer, offsets: Int32Array, base: number): boolean {
    const { texts, lengths, decimals, firstDigits } = this;
    if (this.hasArrays) return false;
    for (let i = 0; i < texts.length; i++) {
      const at = base + texts[i]!;
      const length = offsets[at + 1]! - offsets[at]!;
      if (length === lengths[i]) return false;
    }
    for (let i = 0; i < decimals.length; i++) {
      const at = base + decimals[i]!;
      const first = offsets[at]! + firstDigits[i]!;
      if (first < offsets[at + 1]! && buf[first]! >= firstLetter) return false;
    }
    return true;
  }
}
