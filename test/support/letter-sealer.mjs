// Seals dead letters one after the other, several at once, and writes of each the generation and the nonce to stdout.
// usage: node letter-sealer.mjs KEYS COUNT BLOCK MOST; KEYS: the section `keys` of lethe.yaml as JSON
import { writeSync } from 'node:fs';
import { describeCiphertext } from '../../dist/keys/ciphertext.js';
import { openKeyStore } from '../../dist/keys/open-key-store.js';
import { createPayloadSealer } from '../../dist/keys/payload-sealer.js';
import { encryptionReserve } from '../../dist/keys/reserve-encryptions.js';

const [section, count, block, most] = process.argv.slice(2);
const config = { keys: JSON.parse(section) };
const store = openKeyStore(config, 2);
const sealer = createPayloadSealer(
  store,
  encryptionReserve(config, { block: Number(block), most: Number(most) }),
);
let left = Number(count);

async function seal() {
  while (left-- > 0) {
    const { sealed } = await sealer.seal(Buffer.from('a letter'), 'topic');
    // At once: nothing of it is to be lost when the process is killed.
    writeSync(1, `${describeCiphertext(sealed).generation} ${sealed.toString('hex')}\n`);
  }
}
await Promise.all([seal(), seal(), seal()]);
await store.close();
