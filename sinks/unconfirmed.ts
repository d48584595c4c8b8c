import { refuse, type Step } from '../pipeline/planned-steps.ts';
import type { SinkName } from '../schemas/sink-name.ts';

/** Of a contract that changes while a store's rows are rebuilt: what stands beside would keep what the new contract protects. */
export function unconfirmed(sink: SinkName, table: string, beside: string): Step {
  return refuse(
    `${beside} stands beside the live rows of ${table}, from a rebuilding that is not confirmed`,
    `Run \`lethe rebuild ${sink} ${table} --confirm\`, or \`--discard\` where it is not complete.`,
  );
}
