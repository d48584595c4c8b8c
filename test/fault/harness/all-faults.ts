import { crashFaults } from './crash-faults.ts';
import type { Fault } from './fault.ts';
import { groupFaults } from './group-faults.ts';
import { lineFaults } from './line-faults.ts';
import { repeatFaults } from './repeat-faults.ts';
import { serverFaults } from './server-faults.ts';

/** Every fault, by name. */
export const allFaults: readonly Fault[] = [
  ...crashFaults,
  ...serverFaults,
  ...lineFaults,
  ...groupFaults,
  ...repeatFaults,
];

/** Those whose name contains the text; all without one. Fails if there is none. */
export function faultsNamed(only: string | undefined): Fault[] {
  const found = allFaults.filter(({ name }) => only === undefined || name.includes(only));
  if (found.length > 0) return found;
  const known = allFaults.map(({ name }) => `  ${name}`).join('\n');
  throw new Error(`no fault has "${only}" in its name; there are:\n${known}`);
}
