import { z } from 'zod';

const name = z.string().min(1).max(63);
const columns = z.array(name).min(1);

/** What a contract says becomes of a person's rows when the person is erased. */
export const erasureShape = z.strictObject({
  /**
   * What becomes of the rows at the source: deleted, or some of their columns set to null; `application`, which is meant if nothing is
   * said, leaves them to the application.
   */
  source: z.enum(['delete', 'null', 'application']).optional(),
  /** Columns that `null` sets to null; they need not be among those that pass. */
  columns: columns.optional(),
  /** What the law has to be kept: the row stays, at the source and downstream, with these columns alone. */
  retain: z
    .strictObject({
      columns,
      /** Law, decision or contract that asks for it; stands in the certificate. */
      basis: z.string().min(1),
      for: z.string().regex(/^[1-9]\d{0,3}[ymd]$/, 'write years, months or days: 10y, 18m, 90d'),
    })
    .optional(),
  /** Whether a delete of the person's own row starts an erasure. */
  starts: z.boolean().optional(),
});
export type ErasureRule = z.infer<typeof erasureShape>;
export type SourceErasure = NonNullable<ErasureRule['source']>;

/** What becomes of the rows at the source. */
export function sourceErasure({ erasure }: { readonly erasure?: ErasureRule | undefined }): SourceErasure {
  return erasure?.source ?? 'application';
}

/**
 * When what is kept by law has to go: calendar years, months or days after the erasure, in UTC. A day that the month does not have is its
 * last, as the law counts: a year from 29 February ends on 28 February.
 */
export function retainedUntil(period: string, erased: Date): Date {
  const [, digits, unit] = /^(\d+)([ymd])$/.exec(period) as unknown as [string, string, 'y' | 'm' | 'd'];
  const count = Number(digits);
  const until = new Date(erased);
  if (unit === 'd') {
    until.setUTCDate(until.getUTCDate() + count);
    return until;
  }
  const day = until.getUTCDate();
  until.setUTCDate(1);
  until.setUTCMonth(until.getUTCMonth() + (unit === 'y' ? 12 * count : count));
  const lastDay = new Date(Date.UTC(until.getUTCFullYear(), until.getUTCMonth() + 1, 0)).getUTCDate();
  until.setUTCDate(Math.min(day, lastDay));
  return until;
}
