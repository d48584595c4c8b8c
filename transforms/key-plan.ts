import { type Dataset, keyActions } from '../schemas/dataset.ts';
import { encodeRecordKey } from '../schemas/record-key.ts';
import { type AvroReader, malformed } from './avro-reader.ts';
import { NamedTypes, type Skip, unexpected, type WriterSchema } from './avro-skip.ts';
import type { RowContext } from './column-action.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { fits, rawField } from './raw-type.ts';
import { compileTextAction, type SharedKeys, type TextAction } from './text-action.ts';

/** Compiled from a writer schema of a raw record's key: reads it and makes the clean record's canonical key. */
export class KeyPlan {
  private readonly reads: readonly ((reader: AvroReader, parts: string[]) => void)[];
  private readonly protect: readonly TextAction[];
  private readonly size: number;
  /** Reads the key where it is one integer that is kept: its text is the key. */
  private readonly single: ((reader: AvroReader) => string) | undefined;

  constructor(schema: WriterSchema, dataset: Dataset, keys: SharedKeys) {
    const names = new NamedTypes(schema);
    const record = names.resolve(schema);
    if (typeof record === 'string' || Array.isArray(record) || !record.fields)
      throw unexpected('the key is not a record');
    this.size = dataset.key.length;
    this.protect = dataset.key.map((column) => {
      if (column.rule.action === 'keep') return (text) => text;
      const act = keyActions.has(column.rule.action)
        ? compileTextAction({ table: dataset.table, column, rule: column.rule }, { hasSubject: false, keys })
        : undefined;
      if (!act) throw unexpected(`key column ${column.name} cannot be ${column.rule.action}`);
      return act;
    });
    const found = new Set<string>();
    this.reads = record.fields.map((field) => {
      const column = dataset.key.find((c) => c.name === field.name);
      if (!column) {
        // A key column that the contract does not know: the table's key is another one by now.
        throw unexpected(`key column ${field.name} is not in the key the contract was applied with`);
      }
      found.add(column.name);
      const type = rawField(field.type, names);
      const text = compileCanonicalText(column.source);
      if (!type || !text || !fits(type, column.source))
        throw unexpected(`key column ${field.name} has another type`);
      const at = dataset.key.indexOf(column);
      const optional: Skip = type.nullBranch === undefined ? () => {} : (r) => void r.readInt();
      return (reader, parts) => {
        optional(reader);
        parts[at] = text(reader);
      };
    });
    const [only] = dataset.key;
    const isInteger = only && (only.source === 'int' || only.source === 'long');
    if (isInteger && this.size === 1 && only.rule.action === 'keep') {
      const read = this.reads[0]!;
      const parts = [''];
      this.single = (reader) => {
        read(reader, parts);
        return parts[0]!;
      };
    }
    if (found.size !== dataset.key.length) throw unexpected('the key lacks a column of the contract');
  }

  /** Canonical texts of the key as it is at the source, in key order. They do not leave the processor. */
  readSource(reader: AvroReader): string[] {
    const parts = Array.from<string>({ length: this.size });
    for (const read of this.reads) read(reader, parts);
    return parts;
  }

  /** The clean record's key. */
  readClean(reader: AvroReader): string {
    if (this.single) return this.single(reader);
    return encodeRecordKey(
      this.readSource(reader).map((text, i) => this.protect[i]!(text, noRow) ?? refuse()),
    );
  }
}

/** A record's key is made of itself alone. */
const noRow: RowContext = { dataKey: undefined, names: [] };

function refuse(): never {
  throw malformed();
}
