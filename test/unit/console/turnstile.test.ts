import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { Turnstile } from '../../../console/turnstile.ts';

it('a turnstile has never more inside than it may, loses nobody, and sends away those it has no room for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.nat(5),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (atOnce, waiting, fails) => {
        const turnstile = new Turnstile(atOnce, waiting);
        let inside = 0;
        let most = 0;
        const outcomes = await Promise.all(
          fails.map((fail) =>
            turnstile
              .pass(async () => {
                most = Math.max(most, ++inside);
                await Promise.resolve();
                inside--;
                if (fail) throw new Error('failed');
                return {};
              })
              .catch(() => 'failed'),
          ),
        );
        expect(most).toBeLessThanOrEqual(atOnce);
        expect(outcomes.filter((one) => one === undefined)).toHaveLength(
          Math.max(0, fails.length - atOnce - waiting),
        );
        expect(await turnstile.pass(async () => ({ done: true }))).toEqual({ done: true });
      },
    ),
  );
});
