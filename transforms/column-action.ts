import type { DatasetColumn } from '../schemas/dataset.ts';
import { compileAssociatedData } from './associated-data.ts';
import { compileArrayMap } from './array-map.ts';
import { AvroReader, malformed } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import type { ByteWriter } from './byte-writer.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { compileGeneralise } from './generalise.ts';
import { compilePathMap } from './path-map.ts';
import type { DataKey } from './protection.ts';
import { SizedBuffers } from './sized-buffers.ts';
import { compileTextAction, type Secrets } from './text-action.ts';

/** What an action may need besides the value. */
export interface RowContext {
  readonly dataKey: DataKey | undefined;
  /** Canonical text of the subject's id. */
  readonly subjectId: string;
  /** Names in the row's own columns, for free text to be freed of. */
  readonly names: readonly string[];
}

/** Writes what the clean record gets for the value at [from, to) of `buf`, which is not null. */
export type ColumnAction = (buf: Buffer, from: number, to: number, out: ByteWriter, row: RowContext) => void;

/** How the engine encrypts: passed in, because the format belongs to the key room. */
export type EncryptInto = (out: Buffer, at: number, key: DataKey, aad: Buffer, plaintext: Buffer) => number;
export interface Cipher {
  readonly overhead: number;
  readonly encryptInto: EncryptInto;
  associatedData(table: string, column: string, subjectType: string, subjectId: string): Buffer;
}

/** A column and what its action is compiled from. */
export interface ActionSources {
  readonly table: string;
  readonly column: DatasetColumn;
  readonly subjectType: string | undefined;
  readonly secrets: Secrets;
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

function compileText({ table, column, secrets }: ActionSources): ColumnAction {
  const canonical = compileCanonicalText(column.source);
  const act = compileTextAction(table, column.name, column.rule, secrets);
  if (!canonical || !act) throw unexpected(`column ${column.name} has no value to write`);
  const reader = new AvroReader();
  return (buf, from, to, out, row) => {
    const text = act(canonical(reader.reset(buf, from, to)), row.names);
    if (text === undefined) throw malformed();
    out.text(text);
  };
}

function compileEncrypt({ table, column, subjectType, cipher }: ActionSources): ColumnAction {
  if (!subjectType) throw unexpected(`column ${column.name} has no subject`);
  const associatedData = compileAssociatedData((id) =>
    cipher.associatedData(table, column.name, subjectType, id),
  );
  const plaintexts = new SizedBuffers();
  return (buf, from, to, out, row) => {
    // Fail closed: without the subject's key there is no way on that would not be plaintext.
    if (!row.dataKey) throw unexpected(`column ${column.name} has no data key`);
    const size = to - from + cipher.overhead;
    out.length(size);
    out.reserve(size);
    const plaintext = plaintexts.part(buf, from, to);
    out.pos = cipher.encryptInto(out.buf, out.pos, row.dataKey, associatedData(row.subjectId), plaintext);
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
