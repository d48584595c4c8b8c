/** Shorter runs of bytes occur by chance in gigabytes of segment files. */
const distinctiveBytes = 7;

/** How an integer may lie in files: decimal text, Avro's zigzag varint, eight bytes of either order. */
export function integerForms(value: bigint): Buffer[] {
  const little = Buffer.alloc(8);
  little.writeBigInt64LE(value);
  const big = Buffer.alloc(8);
  big.writeBigInt64BE(value);
  return [Buffer.from(String(value)), zigzagVarint(value), little, big].filter(
    (bytes) => bytes.length >= distinctiveBytes,
  );
}

/** How an instant to the microsecond may lie in files; cut at milliseconds the texts are still found. */
export function instantForms(iso: string): Buffer[] {
  const toMillis = iso.slice(0, 23);
  const micros = BigInt(Date.parse(`${toMillis}Z`)) * 1000n + BigInt(iso.slice(23, 26));
  return [
    Buffer.from(toMillis),
    Buffer.from(toMillis.replace('T', ' ')),
    Buffer.from(String(micros / 1000n)),
    ...integerForms(micros),
  ];
}

/** As text, and as the sixteen bytes in network order and in the two reversed halves that ClickHouse keeps. */
export function uuidForms(uuid: string): Buffer[] {
  const raw = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  const halves = Buffer.alloc(16);
  for (const at of [0, 8]) halves.writeBigUInt64LE(raw.readBigUInt64BE(at), at);
  return [Buffer.from(uuid), Buffer.from(raw.toString('hex')), raw, halves];
}

/** An IPv6 address with eight full groups, as text and as sixteen bytes. */
export function addressForms(address: string): Buffer[] {
  return [Buffer.from(address), Buffer.from(address.replaceAll(':', ''), 'hex')];
}

/** Bytes as they are, in hex, and in base64 at each of the three places that a run can start in. */
export function encodedForms(bytes: Buffer): Buffer[] {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The characters at both ends depend on the neighbours as well.
    const end = Math.floor(((shift + bytes.length) * 8) / 6);
    return Buffer.from(text.slice(Math.ceil((shift * 8) / 6), end));
  });
  return [bytes, Buffer.from(bytes.toString('hex')), ...base64];
}

function zigzagVarint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const out: number[] = [];
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}
