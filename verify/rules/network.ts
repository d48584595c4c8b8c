import { VerifyError } from '../verify-error.ts';

/** The network of an address in a text as Postgres prints inet, by its bits as one number; undefined where it is none. */
export function networkText(text: string, v4: number, v6: number): string | undefined {
  const m = /^([\da-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  if (!m) return undefined;
  const [, address, written] = m;
  const isV6 = address!.includes(':');
  const value = isV6 ? v6Value(address!) : v4Value(address!);
  if (value === undefined) return undefined;
  const size = isV6 ? 128 : 32;
  const own = written === undefined ? size : Number(written);
  if (own > size) return undefined;
  const bits = Math.min(isV6 ? v6 : v4, own);
  const free = BigInt(size - bits);
  const network = (value >> free) << free;
  return `${isV6 ? v6Text(network) : v4Text(network)}/${bits}`;
}

function v4Value(text: string): bigint | undefined {
  if (!/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$/.test(text) || /(?:^|\.)0\d|\.$/.test(text))
    return undefined;
  return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function v6Value(text: string): bigint | undefined {
  let rest = text;
  const dotted = /(?<=:)[\d.]+\.[\d.]+$/.exec(text)?.[0];
  if (dotted !== undefined) {
    const low = v4Value(dotted);
    if (low === undefined) return undefined;
    rest = `${text.slice(0, -dotted.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const [high = [], low = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - high.length - low.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...high, ...Array.from({ length: missing }, () => '0'), ...low];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function v4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

/** RFC 5952 by its words: the longest run of zero groups, from two on, gives way to `::`. */
function v6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  const full = groups.join(':');
  for (let length = 8; length >= 2; length--) {
    const run = new RegExp(`(?:^|:)0${':0'.repeat(length - 1)}(?=:|$)`).exec(full);
    if (!run) continue;
    const text = `${full.slice(0, run.index)}::${full.slice(run.index + run[0].length + 1)}`;
    if (text.includes(':::')) throw new VerifyError('DATA_MALFORMED', 'an address');
    return text;
  }
  return full;
}
