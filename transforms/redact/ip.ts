import { isIPv6 } from 'node:net';
import type { Span } from './span.ts';

const octet = String.raw`(?:25[0-5]|2[0-4]\d|[01]?\d?\d)`;
const version4 = new RegExp(String.raw`(?<!\d|\d\.)${octet}(?:\.${octet}){3}(?!\d|\.\d)`, 'g');
const hexRow = /(?:\d|:|(?<![\p{L}\p{M}])[A-F]+(?![\p{L}\p{M}]))+/gu;
const tail = /(?:\.\d{1,3}){3}(?!\d|\.\d)/y;

/** IPv4 (leading zeros allowed) and IPv6 (RFC 4291, section 2.2, in every form that node:net takes). */
export function ipSpans(plain: string): Span[] {
  const spans: Span[] = [];
  for (const m of plain.matchAll(version4)) {
    spans.push({ from: m.index, to: m.index + m[0].length, kind: 'ip' });
  }
  for (const m of plain.matchAll(hexRow)) {
    const lead = /^:(?!:)/.test(m[0]) ? 1 : 0;
    const row = m[0].slice(lead).replace(/(?<!:):$/, '');
    // Two colons alone are the unspecified address, and in free text never that.
    if (!/[\dA-F]/.test(row)) continue;
    const from = m.index + lead;
    tail.lastIndex = from + row.length;
    const dotted = /\d$/.test(row) ? (tail.exec(plain)?.[0] ?? '') : '';
    const address = [row + dotted, row].find((candidate) => isIPv6(candidate));
    if (address !== undefined) spans.push({ from, to: from + address.length, kind: 'ip' });
  }
  return spans;
}
