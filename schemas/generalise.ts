import type { ValueKind } from './value-kind.ts';

export const periods = ['year', 'month', 'day'] as const;
export type Period = (typeof periods)[number];

/** What a value is made coarse to: the period it lies in, the network of an address, or the width of its band. */
export type Coarseness = Period | 'network' | number;

/** Bits that are kept of an address where the contract says nothing: a network of a provider, not of a household. */
export const networkBits = { v4: 24, v6: 48 } as const;

const periodsOf: Readonly<Partial<Record<ValueKind, readonly Period[]>>> = {
  date: ['year', 'month'],
  timestamp: periods,
  timestamptz: periods,
};
/** A float4 has no decimal text of its own in Avro; a double has. */
const banded: ReadonlySet<ValueKind> = new Set(['int', 'long', 'decimal', 'double']);

/** What `to` may be for a kind, in words; undefined where its values cannot be generalised. */
export function coarsenessOf(kind: ValueKind): string | undefined {
  if (kind === 'inet') return 'network';
  const periods = periodsOf[kind];
  if (periods) return periods.join(' or ');
  if (!banded.has(kind)) return undefined;
  return kind === 'int' || kind === 'long' ? 'a whole number from 2 on' : 'a number above 0';
}

/** Whether a kind can be generalised to this. */
export function isGeneralisable(kind: ValueKind, to: Coarseness): boolean {
  if (to === 'network') return kind === 'inet';
  if (typeof to === 'string') return periodsOf[kind]?.includes(to) ?? false;
  if (!banded.has(kind)) return false;
  return kind === 'int' || kind === 'long' ? Number.isInteger(to) && to > 1 : to > 0;
}

/** The width of a band in plain digits, and how many of them stand behind the point. */
export function bandWidth(to: number): { readonly units: bigint; readonly scale: number } {
  const [whole = '0', fraction = ''] = to.toFixed(bandDecimals).split('.');
  const digits = fraction.replace(/0+$/, '');
  return { units: BigInt(whole + digits), scale: digits.length };
}

/** Digits that a width may have behind the point: 0.000001 of a degree is 11 cm. */
export const bandDecimals = 6;
