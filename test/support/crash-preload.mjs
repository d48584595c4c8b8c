// Preloaded into a `lethe run` by fault tests: SIGKILLs the process at a point of its n-th Kafka transaction.
// LETHE_CRASH="<point>:<n>", point one of before-send, after-send, after-offsets, after-commit.
import kafkajs from 'kafkajs';

const [point, nth] = (process.env.LETHE_CRASH ?? '').split(':');
let count = 0;

function reached(at) {
  if (at === point && ++count === Number(nth)) process.kill(process.pid, 'SIGKILL');
}

const { prototype } = kafkajs.Kafka;
const original = Object.getOwnPropertyDescriptor(prototype, 'producer').value;
prototype.producer = function crashing(options) {
  const made = original.call(this, options);
  if (!options?.transactionalId) return made;
  return {
    ...made,
    transaction: async () => {
      const tx = await made.transaction();
      return {
        ...tx,
        sendBatch: async (batch) => {
          reached('before-send');
          const result = await tx.sendBatch(batch);
          reached('after-send');
          return result;
        },
        sendOffsets: async (offsets) => {
          await tx.sendOffsets(offsets);
          reached('after-offsets');
        },
        commit: async () => {
          await tx.commit();
          reached('after-commit');
        },
      };
    },
  };
};
