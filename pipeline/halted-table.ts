import type { LetheError } from '../schemas/errors.ts';

/** How long a table that waits is left alone, before it is looked at again. */
export const haltedMs = 500;

/** It may take a person to go on: its partitions are paused, and keep none of the places in which partitions are worked on. */
export function isHalted({ code }: LetheError): boolean {
  return code === 'TABLE_HALTED';
}
