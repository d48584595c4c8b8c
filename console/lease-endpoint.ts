import { z } from 'zod';
import type { Principal } from '../keys/access/principal.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { leaseSubkeys, mostLeased, subkeyLeaseMs } from '../keys/leases.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Door } from './door.ts';
import type { Answer, Posted, PostEndpoint } from './http-server.ts';
import { Turnstile } from './turnstile.ts';

const shape = z.strictObject({
  table: z.string(),
  classification: z.string(),
  keys: z
    .array(
      z.strictObject({
        keyId: z.string().regex(/^[0-9a-f]{32}$/),
        generation: z.int().min(1).max(2_147_483_647),
      }),
    )
    .min(1)
    .max(mostLeased),
});

const atOnce = 4;
const mostWaiting = 200;

/**
 * `POST /v1/keys/lease` with a bearer token: subkeys for the keys that ciphertexts of one table and classification name, in base64, null for
 * one that was destroyed; and for how many milliseconds they may be used. 401 for no valid token, 403 for no grant, 429 for too many who
 * ask. Nobody is let in without a token, where access is open neither.
 */
export function leaseEndpoints(
  config: Config,
  store: Pick<KeyStore, 'keyById'>,
  door: Door,
): Readonly<Record<string, PostEndpoint>> {
  // The key store's connections are those that the pipeline lives on.
  const turnstile = new Turnstile(atOnce, mostWaiting);
  const desk = new LeaseDesk(config, store, door);
  return {
    '/v1/keys/lease': async (posted) =>
      (await turnstile.pass(() => desk.answer(posted))) ?? [429, { error: 'too many ask at once' }],
  };
}

class LeaseDesk {
  readonly #config: Config;
  readonly #store: Pick<KeyStore, 'keyById'>;
  readonly #door: Door;

  constructor(config: Config, store: Pick<KeyStore, 'keyById'>, door: Door) {
    this.#config = config;
    this.#store = store;
    this.#door = door;
  }

  answer({ token, body }: Posted): Promise<Answer> {
    return this.#door.admit(token, 'decrypt', (principal) => this.#lease(principal, body));
  }

  async #lease(principal: Principal, body: unknown): Promise<Answer> {
    const wanted = shape.safeParse(body);
    if (!wanted.success) {
      throw new LetheError('CONFIG_INVALID', 'the request is none', {
        fix: `Send {table, classification, keys: [{keyId, generation}]}, at most ${mostLeased} keys.`,
      });
    }
    const { table, classification } = wanted.data;
    const keys = wanted.data.keys.map(({ keyId, generation }) => ({
      keyId: Buffer.from(keyId, 'hex'),
      generation,
    }));
    const place = { config: this.#config, store: this.#store };
    const subkeys = await leaseSubkeys(place, principal, { table, classification, keys });
    await this.#door.note();
    const texts = subkeys.map((subkey) => subkey?.toString('base64') ?? null);
    return [200, { leaseMs: subkeyLeaseMs, subkeys: texts }];
  }
}
