import type { DatasetColumn } from '../schemas/dataset.ts';
import type { KeyUse } from '../schemas/key-use.ts';
import { compileArrayMap } from './array-map.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import type { ByteWriter } from './byte-writer.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { compileGeneralise } from './generalise.ts';
import { compilePathMap } from './path-map.ts';
import { type DataKey, encryptUse } from './protection.ts';
import { SizedBuffers } from './sized-buffers.ts';
import { compileTextAction, type KeySources } from './text-action.ts';

/** What an action may need besides the value. */
export interface RowContext {
  readonly dataKey: DataKey | undefined;
  /** Names in the row's own columns, for free text to be freed of. */
  readonly names: readonly string[];
}

/** Writes what the clean record gets for the value at [from, to) of `buf`, which is not null. */
export type ColumnAction = (buf: Buffer, from: number, to: number, out: ByteWriter, row: RowContext) => void;

/** How the engine encrypts: passed in, because the format belongs to the key room. */
export interface Cipher {
  readonly overhead: number;
  encryptInto(out: Buffer, at: number, key: DataKey, use: KeyUse, place: Buffer, plaintext: Buffer): number;
  /** What binds values to their column; encryptInto adds the key to it. */
  associatedData(dataset: string, column: string): Buffer;
}

/** A column and what its action is compiled from. */
export interface ActionSources extends KeySources {
  readonly table: string;
  readonly column: DatasetColumn;
  readonly cipher: Cipher;
}

const copy: ColumnAction = (buf, from, to, out) => out.copy(buf, from, to);

/** Compiles the action of one column. */
export function compileColumnAction(sources: ActionSources): ColumnAction {
  const { column } = sources;
  const { rule } = column;
  switch (rule.action) {
    case 'keep':
      return copy;
    case 'generalise':
      return rule.to === 'network' ? compileText(sources) : compileGeneralise(column.source, rule.to);
    case 'encrypt':
      return compileEncrypt(sources);
    case 'paths':
      return column.source === 'array' ? compileArrayMap(sources, rule) : compileJson(sources, rule);
    default:
      return compileText(sources);
  }
}

function compileText(sources: ActionSources): ColumnAction {
  const { table, column } = sources;
  const canonical = compileCanonicalText(column.source);
  const act = compileTextAction({ table, column, rule: column.rule }, sources);
  if (!canonical || !act) throw unexpected(`column ${column.name} has no value to write`);
  const reader = new AvroReader();
  return (buf, from, to, out, row) => {
    const text = act(canonical(reader.reset(buf, from, to)), row);
    if (text === undefined) throw malformed();
    out.text(text);
  };
}

function compileEncrypt({ table, column, hasSubject, cipher }: ActionSources): ColumnAction {
  if (!hasSubject) throw unexpected(`column ${column.name} has no subject`);
  const use = encryptUse(table, column.rule);
  const place = cipher.associatedData(table, column.name);
  const plaintexts = new SizedBuffers();
  return (buf, from, to, out, row) => {
    // Fail closed: without the subject's key there is no way on that would not be plaintext.
    if (!row.dataKey) throw unexpected(`column ${column.name} has no data key`);
    const size = to - from + cipher.overhead;
    out.length(size);
    out.reserve(size);
    const plaintext = plaintexts.part(buf, from, to);
    out.pos = cipher.encryptInto(out.buf, out.pos, row.dataKey, use, place, plaintext);
  };
}

function compileJson(sources: ActionSources, rule: Parameters<typeof compilePathMap>[1]): ColumnAction {
  const map = compilePathMap(sources, rule);
  const reader = new AvroReader();
  return (buf, from, to, out, row) => {
    const text = reader.reset(buf, from, to).readBytes().toString('utf8');
    out.text(map(text, row) ?? 'null');
  };
}
