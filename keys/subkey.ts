import { createHmac } from 'node:crypto';
import { type KeyUse, subkeyBytes } from '../schemas/key-use.ts';

const counters = [0, 1, 2].map((n) => Buffer.of(n));

/** HKDF-Expand with SHA-256 (RFC 5869, section 2.3) from 32 random bytes, which need no extraction (section 3.3): one or two blocks. */
export function deriveSubkey(root: Buffer, { purpose, info }: KeyUse): Buffer {
  const bytes = subkeyBytes[purpose];
  const first = createHmac('sha256', root).update(info).update(counters[1]!).digest();
  if (bytes === 32) return first;
  const second = createHmac('sha256', root).update(first).update(info).update(counters[2]!).digest();
  return Buffer.concat([first, second]);
}
