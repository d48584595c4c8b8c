import { VerifyError } from '../verify-error.ts';
import { ecb } from './token.ts';

const digits = '0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const alphabets: Readonly<Record<string, string>> = {
  digits,
  lower: upper.toLowerCase(),
  upper,
  'lower-alphanumeric': digits + upper.toLowerCase(),
  'upper-alphanumeric': digits + upper,
  alphanumeric: digits + upper + upper.toLowerCase(),
};

/** A text with its characters of the alphabet encrypted among themselves; everything else stays in its place. */
export function formattedText(key: Buffer, alphabet: string, text: string): string {
  if (text === '') return '';
  const characters = alphabets[alphabet];
  if (characters === undefined) throw new VerifyError('NOT_COVERED', `the alphabet ${alphabet}`);
  const own = Array.from(text).filter((point) => characters.includes(point));
  if (BigInt(characters.length) ** BigInt(own.length) < 1_000_000n) {
    throw new VerifyError(
      'NOT_COVERED',
      'a value too short for format-preserving encryption is at the source',
    );
  }
  const encrypted = ff1(
    key,
    characters.length,
    own.map((point) => characters.indexOf(point)),
  );
  const next = encrypted[Symbol.iterator]();
  return Array.from(text, (point) =>
    characters.includes(point) ? characters[next.next().value!]! : point,
  ).join('');
}

/** FF1.Encrypt of SP 800-38G, section 6.2, step by step, with an empty tweak unless one is given. */
export function ff1(
  key: Buffer,
  radix: number,
  x: readonly number[],
  tweak: Buffer = Buffer.alloc(0),
): number[] {
  const n = x.length;
  const u = Math.floor(n / 2);
  const v = n - u;
  let a = x.slice(0, u);
  let b = x.slice(u);
  const bytes = bytesFor(BigInt(radix) ** BigInt(v) - 1n);
  const d = 4 * Math.ceil(bytes / 4) + 4;
  const p = Buffer.alloc(16);
  p.set([1, 2, 1]);
  p.writeUIntBE(radix, 3, 3);
  p.set([10, u % 256], 6);
  p.writeUInt32BE(n, 8);
  p.writeUInt32BE(tweak.length, 12);
  for (let round = 0; round < 10; round++) {
    const zeros = (((-tweak.length - bytes - 1) % 16) + 16) % 16;
    const q = Buffer.concat([tweak, Buffer.alloc(zeros), Buffer.of(round), asBytes(number(radix, b), bytes)]);
    const r = cbcMac(key, Buffer.concat([p, q]));
    const blocks = [r];
    for (let j = 1; j * 16 < d; j++) {
      const masked = Buffer.from(r);
      masked.writeUInt32BE((masked.readUInt32BE(12) ^ j) >>> 0, 12);
      blocks.push(ecb(key, masked));
    }
    const y = BigInt(`0x${Buffer.concat(blocks).subarray(0, d).toString('hex')}`);
    const m = round % 2 === 0 ? u : v;
    const c = (number(radix, a) + y) % BigInt(radix) ** BigInt(m);
    a = b;
    b = numerals(radix, m, c);
  }
  return [...a, ...b];
}

function bytesFor(largest: bigint): number {
  return Math.ceil(largest.toString(2).length / 8);
}

function number(radix: number, x: readonly number[]): bigint {
  return x.reduce((sum, numeral) => sum * BigInt(radix) + BigInt(numeral), 0n);
}

function numerals(radix: number, length: number, value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (let i = 0; i < length; i++) {
    out.unshift(Number(rest % BigInt(radix)));
    rest /= BigInt(radix);
  }
  return out;
}

function asBytes(value: bigint, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
}

function cbcMac(key: Buffer, data: Buffer): Buffer {
  let y: Buffer = Buffer.alloc(16);
  for (let at = 0; at < data.length; at += 16)
    y = ecb(key, Buffer.from(y.map((byte, i) => byte ^ data[at + i]!)));
  return y;
}
