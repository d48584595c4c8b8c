import { setTimeout as pause } from 'node:timers/promises';

const mostAttempts = 5;

/**
 * Reads what others may delete meanwhile, or make anew under the same name, and what is so new that it cannot be read yet: what is not there any
 * more holds nothing. Fails with what the last attempt failed of, where it is there and cannot be read.
 */
export async function readUnlessGone(
  read: () => Promise<void>,
  isThere: () => Promise<boolean>,
  pauseMs = 300,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      if (!(await isThere())) return;
      if (attempt === mostAttempts) throw error;
      await pause(attempt * pauseMs);
    }
  }
}
