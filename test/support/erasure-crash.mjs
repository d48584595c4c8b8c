// Preloaded into a `lethe erase`: ends the process with SIGKILL at one place of one step, as a power failure would. The runner's own
// method is wrapped, so that the product has no word of it.
import { ErasureRunner } from '../../dist/erasure/runner.js';

const [step, point] = process.env['LETHE_TEST_CRASH'].split('/');
const note = Object.getOwnPropertyDescriptor(ErasureRunner.prototype, 'note').value;

function die() {
  process.kill(process.pid, 'SIGKILL');
  // Nothing of what comes next may be begun.
  return new Promise(() => {});
}

ErasureRunner.prototype.note = async function (client, request, done, inventory) {
  if (done.step === step && point === 'done') await die();
  await note.call(this, client, request, done, inventory);
  if (done.step === step && point === 'noted') await die();
};
