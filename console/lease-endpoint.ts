import { z } from 'zod';
import { authenticate } from '../keys/access/authenticate.ts';
import type { Principal } from '../keys/access/principal.ts';
import { RefusalBound } from '../keys/access/refusal-bound.ts';
import { writeRefusal } from '../keys/access/require-permission.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { leaseSubkeys, mostLeased, subkeyLeaseMs } from '../keys/leases.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Posted, PostEndpoint } from './http-server.ts';
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

/** What the audit is held against outside of the key store. */
export interface AuditAnchor {
  /** Fails for an older state of the key store, in which persons who were erased have their keys, and principals who were kept out are let in. */
  check(): Promise<unknown>;
  /** Notes how far the audit has come. */
  note(): Promise<unknown>;
}

const atOnce = 4;
const mostWaiting = 200;
const noteEveryMs = 60_000;

/**
 * `POST /v1/keys/lease` with a bearer token: subkeys for the keys that ciphertexts of one table and classification name, in base64, null for
 * one that was destroyed; and for how many milliseconds they may be used. 401 for no valid token, 403 for no grant, 429 for too many who
 * ask. Nobody is let in without a token, where access is open neither.
 */
export function leaseEndpoints(
  config: Config,
  store: Pick<KeyStore, 'keyById'>,
  anchor: AuditAnchor,
): Readonly<Record<string, PostEndpoint>> {
  // The key store's connections are those that the pipeline lives on.
  const turnstile = new Turnstile(atOnce, mostWaiting);
  const desk = new LeaseDesk(config, store, anchor);
  return {
    '/v1/keys/lease': async (posted) =>
      (await turnstile.pass(() => desk.answer(posted))) ?? [429, { error: 'too many ask at once' }],
  };
}

type Answer = readonly [number, unknown];

class LeaseDesk {
  readonly #config: Config;
  readonly #store: Pick<KeyStore, 'keyById'>;
  readonly #anchor: AuditAnchor;
  /** One who knocks without a token takes no room from those who have one. */
  readonly #strangers = new RefusalBound();
  readonly #known = new RefusalBound();
  #checked = false;
  #notedMs = -Infinity;

  constructor(config: Config, store: Pick<KeyStore, 'keyById'>, anchor: AuditAnchor) {
    this.#config = config;
    this.#store = store;
    this.#anchor = anchor;
  }

  async answer({ token, body }: Posted): Promise<Answer> {
    if (!this.#checked) await this.#anchor.check();
    this.#checked = true;
    let principal: Principal;
    try {
      principal = await authenticate(this.#config, token ?? '');
    } catch (error) {
      await this.#tell(error);
      if (!isRefusal(error)) throw error;
      const { code, message, fix } = error;
      return [401, { error: { code, message, fix } }];
    }
    try {
      return await this.#lease(principal, body);
    } catch (error) {
      await this.#tell(error);
      throw error;
    }
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
    await this.#note();
    const texts = subkeys.map((subkey) => subkey?.toString('base64') ?? null);
    return [200, { leaseMs: subkeyLeaseMs, subkeys: texts }];
  }

  async #tell(error: unknown): Promise<void> {
    if (!isRefusal(error)) return;
    const bound = error.detail['principal'] === 'unknown' ? this.#strangers : this.#known;
    const entry = bound.next();
    if (!entry) return;
    await writeRefusal(this.#config, error, 'decrypt', entry.leftOut > 0 ? { leftOut: entry.leftOut } : {});
    await this.#note();
  }

  /** Once a minute: where Kafka is away what was written stands all the same, and is noted later. */
  async #note(): Promise<void> {
    const now = performance.now();
    if (now - this.#notedMs < noteEveryMs) return;
    this.#notedMs = now;
    await this.#anchor.note().catch((error: unknown) => {
      if (!(error instanceof LetheError)) throw error;
    });
  }
}

function isRefusal(error: unknown): error is LetheError {
  return error instanceof LetheError && error.code === 'ACCESS_REFUSED';
}
