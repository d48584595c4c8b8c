import type { PlannedChange, Resource } from '../pipeline/resource.ts';
import { LetheError } from '../schemas/errors.ts';

/** A planned change and how it is made; a refusal has no way to be made. */
export interface Step {
  readonly change: PlannedChange;
  readonly run?: () => Promise<void>;
}

/**
 * A resource from one function that looks at the server and says what is to be done. apply() looks again, so that
 * it does what is true now and can be called after a crash half-way with what was planned before it.
 */
export function steppedResource(
  name: string,
  system: Resource['system'],
  inspect: () => Promise<readonly Step[]>,
): Resource {
  return {
    name,
    system,
    async diff() {
      return (await inspect()).map((step) => step.change);
    },
    async apply() {
      const steps = await inspect();
      const refused = steps.find((step) => step.change.action === 'refuse');
      if (refused) {
        const { summary, fix } = refused.change;
        throw new LetheError('PLAN_REFUSED', `${name}: ${summary}`, fix === undefined ? {} : { fix });
      }
      for (const step of steps) await step.run!();
    },
  };
}

/** A step that stops the plan. */
export function refuse(summary: string, fix: string): Step {
  return { change: { action: 'refuse', summary, fix } };
}
