import type { Permission } from '../keys/access/permissions.ts';
import { type Acting, type PermissionOptions, requirePermission } from '../keys/access/require-permission.ts';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import { anchorKeys } from './anchored-keys.ts';

/** Whoever runs this command, if he may; else ACCESS_REFUSED, which stands in the audit and is noted in Kafka with it. */
export async function permitted(
  config: Config,
  permission: Permission,
  options: PermissionOptions = {},
): Promise<Acting> {
  try {
    return await requirePermission(config, permission, options);
  } catch (error) {
    if (error instanceof LetheError && error.code === 'ACCESS_REFUSED') {
      // Where Kafka is away the refusal stands all the same, and is noted with the next entry.
      await anchorKeys(config).catch((other: unknown) => {
        if (!(other instanceof LetheError)) throw other;
      });
    }
    throw error;
  }
}
