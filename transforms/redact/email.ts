import type { Span } from './span.ts';

// An address of RFC 5321 with the letters of RFC 6531, without quoted local parts and address literals. The look-behind
// lets the search start only where a row of such characters starts, so that no row is read twice; the domain is looked
// at and not consumed, since it may be the local part before another `@`.
const label = String.raw`[\p{L}\p{M}\d](?:[\p{L}\p{M}\d-]*[\p{L}\p{M}\d])?`;
const local = String.raw`[\p{L}\p{M}\d!#$%&'*+\/=?^_\x60{|}~.\-]`;
const topLabel = String.raw`\p{L}[\p{L}\p{M}\d-]*[\p{L}\p{M}\d]`;
const address = new RegExp(`(?<!${local})(${local}+)@(?=((?:${label}\\.)+${topLabel}))`, 'gu');

export function emailSpans(plain: string): Span[] {
  return [...plain.matchAll(address)].flatMap((m) => {
    const first = m[1]!.search(/[\p{L}\p{M}\d]/u);
    if (first < 0) return [];
    return [{ from: m.index + first, to: m.index + m[0].length + m[2]!.length, kind: 'email' as const }];
  });
}
