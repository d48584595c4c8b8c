// Encrypts in this thread and in worker threads, and writes the nonces of all ciphertexts to stdout, 12 bytes each.
// usage: node nonce-maker.mjs COUNT THREADS [seeded]; `seeded` takes the randomness out, in every thread the same way.
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const [count, threads, seeded] = isMainThread ? process.argv.slice(2) : workerData;

if (seeded) {
  let fills = 0;
  crypto.randomFillSync = (buffer) => buffer.fill(++fills);
  syncBuiltinESMExports();
}
const { associatedData, encrypt } = await import('../../dist/keys/ciphertext.js');

const { SubjectKey } = await import('../../dist/keys/subject-key.js');
const { keyUse } = await import('../../dist/schemas/key-use.js');

const key = new SubjectKey(Buffer.alloc(16), 1, Buffer.alloc(64, 1));
const use = keyUse('encrypt', 'public.t', 'internal');
const place = associatedData('public.t', 'c');
const plaintext = Buffer.from('plaintext');

function nonces() {
  const all = Buffer.alloc(12 * Number(count));
  for (let i = 0; i < all.length; i += 12) encrypt(key, use, place, plaintext).copy(all, i, 21, 33);
  return all;
}

if (isMainThread) {
  const others = Array.from({ length: Number(threads) }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: [count, threads, seeded] });
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  process.stdout.write(nonces());
  for (const other of await Promise.all(others)) process.stdout.write(other);
} else {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort.postMessage(nonces());
}
