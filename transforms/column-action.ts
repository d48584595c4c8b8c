import { createHmac, type KeyObject } from 'node:crypto';
import type { DatasetColumn } from '../schemas/dataset.ts';
import { compileAssociatedData } from './associated-data.ts';
import { AvroReader } from './avro-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { compileCanonicalText } from './canonical-text.ts';
import { unexpected } from './avro-skip.ts';
import { compileGeneralise } from './generalise.ts';
import type { DataKey } from './protection.ts';
import { SizedBuffers } from './sized-buffers.ts';

/** What an action may need besides the value. */
export interface RowContext {
  readonly dataKey: DataKey | undefined;
  /** Canonical text of the subject's id. */
  readonly subjectId: string;
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

/** Always the same number of marks, so that a mask does not tell the length. */
const maskMarks = '****';

/** Shows `keepStart` and `keepEnd` code points; a value that short is masked whole. */
export function maskText(value: string, keepStart: number, keepEnd: number): string {
  const points = Array.from(value);
  if (points.length <= keepStart + keepEnd) return maskMarks;
  return points.slice(0, keepStart).join('') + maskMarks + points.slice(points.length - keepEnd).join('');
}

/** base64url of HMAC-SHA-256, 43 characters. */
export function pseudonym(key: KeyObject, canonicalText: string): string {
  return createHmac('sha256', key).update(canonicalText).digest('base64url');
}

const copy: ColumnAction = (buf, from, to, out) => out.copy(buf, from, to);

/** Compiles the action of one column; keys that do not depend on the row are passed in. */
export function compileColumnAction(
  table: string,
  column: DatasetColumn,
  subjectType: string | undefined,
  pseudonymKey: KeyObject | undefined,
  cipher: Cipher,
): ColumnAction {
  const rule = column.rule;
  const reader = new AvroReader();
  switch (rule.action) {
    case 'keep':
      return copy;
    case 'mask':
      return (buf, from, to, out) => {
        const text = reader.reset(buf, from, to).readBytes().toString('utf8');
        out.text(maskText(text, rule.keepStart, rule.keepEnd));
      };
    case 'truncate':
      return (buf, from, to, out) => {
        const text = reader.reset(buf, from, to).readBytes().toString('utf8');
        out.text(Array.from(text).slice(0, rule.keep).join(''));
      };
    case 'generalise':
      return compileGeneralise(column.source, rule.to);
    case 'hash': {
      const canonical = compileCanonicalText(column.source);
      if (!canonical || !pseudonymKey) throw unexpected(`column ${column.name} cannot be hashed`);
      return (buf, from, to, out) =>
        out.text(pseudonym(pseudonymKey, canonical(reader.reset(buf, from, to))));
    }
    case 'encrypt': {
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
    default:
      throw unexpected(`column ${column.name} has no value to write`);
  }
}
