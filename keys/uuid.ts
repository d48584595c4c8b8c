/** Of 16 bytes the text that Postgres writes. */
export function uuidText(id: Buffer): string {
  const hex = id.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a UUID as Postgres writes it; each person's key has one, so no text is made on the way. */
export function uuidBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === hyphen) continue;
    bytes[at++] = (digit(text.charCodeAt(i)) << 4) | digit(text.charCodeAt(++i));
  }
  return bytes;
}

const hyphen = 0x2d;

/** Of 0 to 9 and a to f. */
function digit(code: number): number {
  return code < 0x60 ? code - 0x30 : code - 0x57;
}
