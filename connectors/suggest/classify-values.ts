import type { ValueKind } from '../../schemas/value-kind.ts';
import type { Verdict } from './guess.ts';
import { type Look, looks, looksOf, looksOfNumber } from './value-looks.ts';

/** What the sampled values of a column have in common: counts alone, so that it may be shown and kept. */
export interface Evidence {
  /** Values that were there; nulls are left out. */
  readonly sampled: number;
  readonly distinct: number;
  /** Distinct values that were seen once. */
  readonly singles: number;
  /** Characters of the longest, as far as it was read. */
  readonly longest: number;
  /** Dates that lie as far back as the births of people who may have an account. */
  readonly longAgo: number;
  readonly looks: ReadonlyMap<Look, number>;
}

export const noEvidence: Evidence = {
  sampled: 0,
  distinct: 0,
  singles: 0,
  longest: 0,
  longAgo: 0,
  looks: new Map(),
};

const youngestYears = 14;
const numbers: ReadonlySet<ValueKind> = new Set(['int', 'long', 'decimal', 'double', 'float']);
const silent: ReadonlySet<ValueKind> = new Set([
  'boolean',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
]);

/** Counts what the values look like and forgets them. */
export function classifyValues(kind: ValueKind, values: readonly (string | null)[]): Evidence {
  const seen = new Map<string, number>();
  const found = new Map<Look, number>();
  const latestBirthYear = new Date().getUTCFullYear() - youngestYears;
  let [sampled, longest, longAgo] = [0, 0, 0];
  for (const value of values) {
    if (value === null) continue;
    sampled++;
    longest = Math.max(longest, value.length);
    seen.set(value, (seen.get(value) ?? 0) + 1);
    if (isLongAgo(value, latestBirthYear)) longAgo++;
    for (const look of looksFor(kind, value)) found.set(look, (found.get(look) ?? 0) + 1);
  }
  const singles = [...seen.values()].filter((count) => count === 1).length;
  return { sampled, distinct: seen.size, singles, longest, longAgo, looks: found };
}

function looksFor(kind: ValueKind, value: string): ReadonlySet<Look> {
  if (silent.has(kind)) return new Set();
  return numbers.has(kind) ? looksOfNumber(value) : looksOf(value);
}

/** A day of the last century or so, in the form that Postgres casts dates and timestamps to. */
function isLongAgo(value: string, latestYear: number): boolean {
  const year = /^((?:19|20)\d\d)-\d\d-\d\d(?: 00:00:00(?:\+00)?)?$/.exec(value)?.[1];
  return year !== undefined && Number(year) <= latestYear;
}

/** What most of the recognised values look like; of equally many, what stands first among the looks. */
export function commonLook(evidence: Evidence): (Verdict & { readonly count: number }) | undefined {
  let best: Look | undefined;
  for (const look of Object.keys(looks) as Look[]) {
    const count = evidence.looks.get(look) ?? 0;
    if (count > 0 && (best === undefined || count > evidence.looks.get(best)!)) best = look;
  }
  return best && lookVerdict(best, evidence);
}

/** A look of values that must not go anywhere, however few. */
export function gravestLook(evidence: Evidence): (Verdict & { readonly count: number }) | undefined {
  const grave = (['jwt', 'login', 'card', 'nationalId'] as const).find((look) => evidence.looks.has(look));
  return grave && lookVerdict(grave, evidence);
}

function lookVerdict(look: Look, evidence: Evidence): Verdict & { readonly count: number } {
  const count = evidence.looks.get(look)!;
  const { guess, says } = looks[look];
  return { guess, count, reason: `${count} of ${evidence.sampled} sampled values look like ${says}` };
}

const fewestRows = 100;
const mostDistinct = 20;
const longestLabel = 40;

/** Few short values that come again and again, and none that was seen but once: labels, not what people write. */
export function areLabels(evidence: Evidence): boolean {
  return (
    evidence.sampled >= fewestRows &&
    evidence.distinct <= mostDistinct &&
    evidence.singles === 0 &&
    evidence.longest <= longestLabel &&
    evidence.looks.size === 0
  );
}
