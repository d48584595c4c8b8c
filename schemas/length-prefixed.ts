/**
 * Parts as one sequence of bytes that no other list of parts has: each behind its length, four bytes, the high one first. Texts are UTF-8.
 * What is authenticated, or hashed, is joined so: with a separator `a|b` and `c` would be `a` and `b|c`.
 */
export function lengthPrefixed(...parts: readonly (string | Buffer)[]): Buffer {
  let size = 0;
  for (const part of parts) size += 4 + Buffer.byteLength(part);
  const joined = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    const n = typeof part === 'string' ? joined.write(part, at + 4) : part.copy(joined, at + 4);
    joined.writeUInt32BE(n, at);
    at += 4 + n;
  }
  return joined;
}
