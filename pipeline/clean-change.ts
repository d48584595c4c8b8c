import type { CleanChange } from './sink.ts';

/** What a clean record carries, without the brand. */
export type CleanFields = {
  readonly [K in keyof CleanChange as K extends string ? K : never]: CleanChange[K];
};

/**
 * The one place that brands. Called by the reader of clean topics with what stands in a clean record, and by tests;
 * whoever calls it with anything that has not been through a contract breaks the privacy boundary.
 */
export function makeCleanChange(fields: CleanFields): CleanChange {
  return fields as CleanChange;
}
