import type { StepWork } from '../../erasure/runner.ts';
import { datasetsOf, type ErasureContext, requireType } from './context.ts';

/** Nothing speaks against it: contracts have rows of such persons, and the source would let go of them. */
export function checkedWork(context: ErasureContext): StepWork {
  return async (erasures) =>
    erasures.map((erasure) => {
      const { type } = erasure.inventory.subject;
      requireType(context.project, type);
      const tables = datasetsOf(context, new Set([type])).length;
      return { evidence: { tables }, inventory: erasure.inventory };
    });
}
