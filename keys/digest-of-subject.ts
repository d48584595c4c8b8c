import { createHmac } from 'node:crypto';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import type { SubjectKind } from './key-store.ts';

/** What stands before the id, in latin1, by type and purpose: they are few. */
const heads = new Map<string, string>();

/**
 * What a subject is found by where no id may stand: HMAC-SHA-256, under the store's index key, of `lethe/subject/v2`, type, purpose and id,
 * each behind its length. 32 bytes.
 */
export function digestOfSubject(index: Buffer, kind: SubjectKind, id: string): Buffer {
  const hmac = createHmac('sha256', index);
  const head = headOf(kind);
  // One text costs one call into C++ and no buffer; there is one for each person of a batch.
  if (isAscii(id)) hmac.update(`${head}${lengthOf(id)}${id}`, 'latin1');
  else hmac.update(head, 'latin1').update(lengthPrefixed(id));
  return hmac.digest();
}

function headOf({ type, purpose = '' }: SubjectKind): string {
  const name = `${type}\n${purpose}`;
  const head = heads.get(name) ?? lengthPrefixed('lethe/subject/v2', type, purpose).toString('latin1');
  heads.set(name, head);
  return head;
}

function lengthOf({ length }: string): string {
  return String.fromCharCode(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
