import { measureCase } from './engine-case.ts';
import type { AskedCase } from './engine.ts';

/** A process for one case: it is asked once, answers, and ends. */
process.once('message', ({ name, options }: AskedCase) => {
  void measureCase(name, options).then((found) => {
    process.send!(found);
    process.disconnect();
  });
});
