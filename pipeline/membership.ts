/** Well within the session after which the group gives a silent member's partitions away. */
const membershipMs = 10_000;

/**
 * Whether a member of a consumer group is one still. Who was paused wakes up with partitions that may be others' by now: a session that he opened
 * for one would fence its holder.
 */
export class Membership {
  private confirmedAt = Number.NEGATIVE_INFINITY;
  private readonly now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** The group knows this member. */
  confirmed(): void {
    this.confirmedAt = this.now();
  }

  /** Did it say so lately? */
  isSure(): boolean {
    return this.now() - this.confirmedAt <= membershipMs;
  }
}
