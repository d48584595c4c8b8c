import type { CleanChange, Verdict } from '../pipeline/sink.ts';
import { compareVersions } from '../schemas/version.ts';

/**
 * Writes of each key only the newest change and settles the others by what became of it: behind a written or
 * stale one they are stale, behind a retriable one they are retriable too (the key is tried again as a whole, in
 * order), behind a rejected one the next newest is written in its stead.
 */
export async function newestFirst(
  changes: readonly CleanChange[],
  write: (candidates: readonly CleanChange[]) => Promise<readonly Verdict[]>,
): Promise<Verdict[]> {
  const verdicts = changes.map((): Verdict => ({ outcome: 'stale' }));
  let open = stacksByKey(changes);
  while (open.length > 0) {
    const tops = open.map((stack) => stack.pop()!);
    const outcomes = await write(tops.map((index) => changes[index]!));
    const next: number[][] = [];
    for (let i = 0; i < open.length; i++) {
      const [stack, verdict] = [open[i]!, outcomes[i]!];
      verdicts[tops[i]!] = verdict;
      if (verdict.outcome === 'rejected') {
        if (stack.length > 0) next.push(stack);
        continue;
      }
      if (verdict.outcome === 'retriable') for (const index of stack) verdicts[index] = verdict;
    }
    open = next;
  }
  return verdicts;
}

/** Indexes of the changes of each key, the newest last; of equal versions the later one counts as newer. */
function stacksByKey(changes: readonly CleanChange[]): number[][] {
  const stacks = new Map<string, number[]>();
  for (let i = 0; i < changes.length; i++) {
    const stack = stacks.get(changes[i]!.key);
    if (stack) stack.push(i);
    else stacks.set(changes[i]!.key, [i]);
  }
  for (const stack of stacks.values()) {
    if (stack.length > 1) {
      stack.sort((a, b) => compareVersions(changes[a]!.version, changes[b]!.version) || a - b);
    }
  }
  return [...stacks.values()];
}
