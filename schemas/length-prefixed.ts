/**
 * Parts as one sequence of bytes that no other list of parts has: each behind its length, four bytes, the high one first. Texts are UTF-8.
 * What is authenticated, or hashed, is joined so: with a separator `a|b` and `c` would be `a` and `b|c`.
 */
export function lengthPrefixed(...parts: readonly (string | Buffer)[]): Buffer {
  const chunks: Buffer[] = [];
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    chunks.push(length, bytes);
  }
  return Buffer.concat(chunks);
}
