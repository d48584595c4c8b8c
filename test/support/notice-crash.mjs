// Preloaded into a `lethe erase`: ends the process with SIGKILL when recipients have been told in Kafka and nobody has noted it yet.
import { Client } from 'pg';

const query = Object.getOwnPropertyDescriptor(Client.prototype, 'query').value;

Client.prototype.query = function (text, ...rest) {
  if (typeof text === 'string' && text.includes('insert into lethe_erasure.notices')) {
    process.kill(process.pid, 'SIGKILL');
    // Nothing of what comes next may be begun.
    return new Promise(() => {});
  }
  return query.call(this, text, ...rest);
};
