import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import { LocalMasterKeys } from './local-master.ts';

/**
 * What can be said of the master keys without asking anybody. CONFIG_INVALID for a file that others may read, or that is none of keys; and
 * in production for any file, unless lethe.yaml says that it is meant: who has the disk has the data.
 */
export function checkMaster({
  keys,
  environment,
  overrides,
}: Pick<Config, 'keys' | 'environment' | 'overrides'>): void {
  const { master } = keys;
  if (master.kind !== 'local') return;
  if (environment === 'production' && !overrides.includes('local-master-key')) {
    throw new LetheError(
      'CONFIG_INVALID',
      'master keys in a file protect nothing from whoever has the disk',
      {
        fix: 'Use kind: vault or aws-kms; or write environment: development; or, if it is meant, overrides: [local-master-key].',
      },
    );
  }
  new LocalMasterKeys(master.file).check();
}
