import { createHmac } from 'node:crypto';
import { type KeyUse, subkeyBytes } from '../schemas/key-use.ts';

/** HKDF-Expand with SHA-256 (RFC 5869, section 2.3) from 32 random bytes, which need no extraction (section 3.3). */
export function deriveSubkey(root: Buffer, { purpose, info }: KeyUse): Buffer {
  const bytes = subkeyBytes[purpose];
  const blocks: Buffer[] = [];
  let last: Buffer = Buffer.alloc(0);
  while (blocks.length * 32 < bytes) {
    const counter = Buffer.of(blocks.length + 1);
    last = createHmac('sha256', root).update(last).update(info).update(counter).digest();
    blocks.push(last);
  }
  return blocks.length === 1 ? last : Buffer.concat(blocks);
}
