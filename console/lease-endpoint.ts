import { z } from 'zod';
import { authenticate } from '../keys/access/authenticate.ts';
import type { Principal } from '../keys/access/principal.ts';
import { RefusalBound } from '../keys/access/refusal-bound.ts';
import { writeRefusal } from '../keys/access/require-permission.ts';
import type { KeyStore } from '../keys/key-store.ts';
import { leaseSubkeys, mostLeased, subkeyLeaseMs } from '../keys/leases.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { PostEndpoint } from './http-server.ts';

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

/**
 * `POST /v1/keys/lease` with a bearer token: subkeys for the keys that ciphertexts of one table and classification name, in base64, null for
 * one that was destroyed; and for how many milliseconds they may be used. 401 for no valid token, 403 for no grant. Nobody is let in
 * without a token, where access is open neither. `isNewest` fails for an older state of the key store, in which persons who were erased
 * have their keys, and principals who were kept out are let in: it is asked before the first lease.
 */
export function leaseEndpoints(
  config: Config,
  store: Pick<KeyStore, 'keyById'>,
  isNewest: () => Promise<unknown>,
): Readonly<Record<string, PostEndpoint>> {
  // One who knocks without a token takes no room from those who have one.
  const [strangers, known] = [new RefusalBound(), new RefusalBound()];
  let wasAsked = false;
  const told = async (error: unknown): Promise<void> => {
    if (!isRefusal(error)) return;
    const entry = (error.detail['principal'] === 'unknown' ? strangers : known).next();
    if (entry) await writeRefusal(config, error, 'decrypt', entry.leftOut > 0 ? entry : {});
  };
  return {
    '/v1/keys/lease': async ({ token, body }) => {
      if (!wasAsked) await isNewest();
      wasAsked = true;
      let principal: Principal;
      try {
        principal = await authenticate(config, token ?? '');
      } catch (error) {
        await told(error);
        if (!isRefusal(error)) throw error;
        const { code, message, fix } = error;
        return [401, { error: { code, message, fix } }];
      }
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
      try {
        const subkeys = await leaseSubkeys({ config, store }, principal, { table, classification, keys });
        return [
          200,
          { leaseMs: subkeyLeaseMs, subkeys: subkeys.map((subkey) => subkey?.toString('base64') ?? null) },
        ];
      } catch (error) {
        await told(error);
        throw error;
      }
    },
  };
}

function isRefusal(error: unknown): error is LetheError {
  return error instanceof LetheError && error.code === 'ACCESS_REFUSED';
}
