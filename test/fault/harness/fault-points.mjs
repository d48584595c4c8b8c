// Preloaded into a `lethe run` by fault tests. It kills, or stops, the process at a point of its n-th transaction or write.
//   LETHE_CRASH="<point>:<n>"     SIGKILL there
//   LETHE_FREEZE="<point>:<n>"    SIGSTOP there, once; or "<point>:key=<text>": when the write holds a change of that key
//   LETHE_VERSIONS=arrival        what the stores are told is not the source's version but when the sink writes: the version
//                                 guard is off, and the tests must notice
// Points: before-send, after-send, after-offsets, after-commit, before-purge, after-purge (transform), before-write,
// after-write, before-offset, after-offset (sinks).
import { RawPurge } from '../../../dist/pipeline/raw-purge.js';
import { SinkOffsets } from '../../../dist/pipeline/sink-offsets.js';
import { SinkProcessor } from '../../../dist/pipeline/sink-processor.js';
import { TransactionalProducer } from '../../../dist/pipeline/transactional-producer.js';

const crash = parse(process.env.LETHE_CRASH);
const freeze = parse(process.env.LETHE_FREEZE);
const arrival = process.env.LETHE_VERSIONS === 'arrival';
let writes = 0n;

function parse(text) {
  const [, point, when] = /^([^:]+):(.*)$/.exec(text ?? '') ?? [];
  if (point === undefined) return undefined;
  return when.startsWith('key=') ? { point, key: when.slice(4) } : { point, left: Number(when) };
}

function reached(point, keys = []) {
  for (const [plan, signal] of [
    [crash, 'SIGKILL'],
    [freeze, 'SIGSTOP'],
  ]) {
    if (plan?.point !== point) continue;
    const due = plan.key === undefined ? --plan.left === 0 : keys.some((key) => key.includes(plan.key));
    if (!due) continue;
    plan.point = undefined;
    process.kill(process.pid, signal);
  }
}

/** Puts `around` in the place of a method; it gets the method as its first argument. */
function wrap({ prototype }, name, around) {
  const method = Object.getOwnPropertyDescriptor(prototype, name)?.value;
  if (!method) throw new Error(`there is no method ${name} to put a fault point around`);
  prototype[name] = function wrapped(...args) {
    return around(() => method.apply(this, args), ...args);
  };
}

wrap(TransactionalProducer, 'produce', async (produce) => {
  reached('before-send');
  await produce();
  reached('after-send');
});
wrap(TransactionalProducer, 'commitOffset', async (commitOffset) => {
  await commitOffset();
  reached('after-offsets');
});
wrap(TransactionalProducer, 'commit', async (commit) => {
  await commit();
  reached('after-commit');
});
wrap(RawPurge, 'purge', async (purge, _topic, partitions) => {
  const due = [...partitions.values()].some((mark) => mark.offset > mark.purged);
  if (due) reached('before-purge');
  await purge();
  if (due) reached('after-purge');
});
wrap(SinkProcessor, 'write', async (write, _route, _topic, items) => {
  const changes = items.filter((item) => item.change);
  if (changes.length > 0)
    reached(
      'before-write',
      changes.map((item) => item.change.key),
    );
  if (arrival) for (const item of changes) item.change = { ...item.change, version: now() };
  await write();
  if (changes.length > 0) reached('after-write');
});
wrap(SinkOffsets, 'commit', async (commit) => {
  reached('before-offset');
  await commit();
  reached('after-offset');
});

function now() {
  return { epoch: 1n, commit: BigInt(Date.now()) << 3n, lsn: 0n, seq: writes++ };
}
