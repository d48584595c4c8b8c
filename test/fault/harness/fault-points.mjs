// Preloaded into a `lethe run` by fault tests: SIGKILLs the process at a point of its n-th Kafka transaction.
// LETHE_CRASH="<point>:<n>", point one of before-send, after-send, after-offsets, after-commit.
import { TransactionalProducer } from '../../dist/pipeline/transactional-producer.js';

const [point, nth] = (process.env.LETHE_CRASH ?? '').split(':');
let count = 0;

function reached(at) {
  if (at === point && ++count === Number(nth)) process.kill(process.pid, 'SIGKILL');
}

/** Puts `around` in the place of a method; it gets the method as its first argument. */
function wrap(name, around) {
  const { prototype } = TransactionalProducer;
  const method = Object.getOwnPropertyDescriptor(prototype, name).value;
  prototype[name] = function wrapped(...args) {
    return around(() => method.apply(this, args));
  };
}

wrap('produce', async (produce) => {
  reached('before-send');
  await produce();
  reached('after-send');
});
wrap('commitOffset', async (commitOffset) => {
  await commitOffset();
  reached('after-offsets');
});
wrap('commit', async (commit) => {
  await commit();
  reached('after-commit');
});
