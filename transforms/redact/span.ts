import type { RedactionKind } from '../../schemas/redaction.ts';

/** An item that was found in a plain text: its first index, and the one after its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly kind: RedactionKind;
}

/**
 * Which kind names items that overlap: the narrower before the wider, since what is a card or a national ID is most
 * often a phone number too.
 */
const priority: readonly RedactionKind[] = ['email', 'iban', 'card', 'national-id', 'ip', 'phone', 'name'];

/** Unites spans that overlap; the result is in order. Spans that only touch stay two. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (!last || span.from >= last.to) {
      merged.push(span);
      continue;
    }
    const kind = priority.indexOf(span.kind) < priority.indexOf(last.kind) ? span.kind : last.kind;
    merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to), kind };
  }
  return merged;
}

const inOne = /(?<=[\p{L}\p{M}])(?=[\p{L}\p{M}])|(?<=\d)(?=\d)/uy;

/** Whether an item may start or end here: not between two letters, not between two digits. */
export function isEdge(text: string, index: number): boolean {
  inOne.lastIndex = index;
  return !inOne.test(text);
}
