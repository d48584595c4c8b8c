// Preloaded into a command: ends the process with SIGKILL before the nth statement that starts so, as a power failure would.
// LETHE_TEST_CRASH: START/N
import { Client } from 'pg';

const [, start, n] = /^(.*)\/(\d+)$/.exec(process.env['LETHE_TEST_CRASH']);
const query = Object.getOwnPropertyDescriptor(Client.prototype, 'query').value;
let seen = 0;

Client.prototype.query = function (text, ...rest) {
  if (typeof text === 'string' && text.startsWith(start) && ++seen === Number(n)) {
    process.kill(process.pid, 'SIGKILL');
    // Nothing of what comes next may be begun.
    return new Promise(() => {});
  }
  return query.call(this, text, ...rest);
};
