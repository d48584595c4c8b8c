import type { FaultWorld } from './world.ts';

/** One way in which a part of the system fails, under traffic. When it resolves, everything that died runs again. */
export interface Fault {
  /** `crash transform before-send`: what dies, and where. */
  readonly name: string;
  run(world: FaultWorld): Promise<void>;
  /** True where the fault itself has records delivered again, so that the clean topic may hold a change twice. */
  readonly repeats?: true;
}
