import type { Permission } from '../keys/access/permissions.ts';
import { type Acting, writeRefusal } from '../keys/access/require-permission.ts';
import type { Config } from '../schemas/config.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';

/**
 * Does it as whoever runs this command, if he may. What is refused in doing it stands in the audit as well, as what `permission` was asked for,
 * and the audit's end is noted either way.
 */
export async function acted<T>(
  flags: { readonly config: string },
  permission: Permission,
  work: (config: Config, by: Acting) => Promise<T>,
): Promise<T> {
  const config = await keysConfig(flags.config);
  await requireAnchored(config);
  const by = await permitted(config, permission);
  try {
    return await work(config, by);
  } catch (error) {
    await writeRefusal(config, error, permission);
    throw error;
  } finally {
    await anchorKeys(config);
  }
}
