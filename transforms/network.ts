import { isIPv4, isIPv6 } from 'node:net';
import { networkBits } from '../schemas/generalise.ts';

/**
 * The network that an address lies in, in CIDR notation: `192.0.2.77` becomes `192.0.2.0/24`. Of a network that is wider already its
 * own bits are kept. IPv6 is written as RFC 5952 asks for. Undefined for what is neither.
 */
export function networkOf(
  text: string,
  v4: number = networkBits.v4,
  v6: number = networkBits.v6,
): string | undefined {
  const [address = '', given] = text.split('/');
  if (given !== undefined && !/^\d{1,3}$/.test(given)) return undefined;
  if (isIPv4(address)) {
    const bits = Math.min(v4, given === undefined ? 32 : Number(given));
    return `${cut(address.split('.').map(Number), 8, bits).join('.')}/${bits}`;
  }
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const bits = Math.min(v6, given === undefined ? 128 : Number(given));
  return `${shortest(cut(groups(address), 16, bits))}/${bits}`;
}

/** The first bits of parts of `size` bits each, the others zero. */
function cut(parts: readonly number[], size: number, bits: number): number[] {
  return parts.map((part, i) => {
    const kept = Math.max(0, Math.min(size, bits - i * size));
    return part - (part % 2 ** (size - kept));
  });
}

/** The eight groups of an IPv6 address, which isIPv6 has found to be one. */
function groups(address: string): number[] {
  const lastColon = address.lastIndexOf(':');
  const tail = address.slice(lastColon + 1);
  let text = address;
  if (isIPv4(tail)) {
    const [a, b, c, d] = tail.split('.').map(Number) as [number, number, number, number];
    text = `${address.slice(0, lastColon + 1)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  }
  const [head = '', rest] = text.split('::');
  const before = parts(head);
  if (rest === undefined) return before;
  const after = parts(rest);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function parts(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** RFC 5952: the longest run of two or more zero groups is `::`, the first of equal ones. */
function shortest(all: readonly number[]): string {
  let best = { at: 0, length: 1 };
  for (let at = 0; at < all.length; at++) {
    let length = 0;
    while (at + length < all.length && all[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = all.map((group) => group.toString(16));
  if (best.length === 1) return hex.join(':');
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`;
}
