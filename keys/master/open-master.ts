import type { MasterConfig } from '../../schemas/config.ts';
import { KmsMasterKeys } from './kms-master.ts';
import { LocalMasterKeys } from './local-master.ts';
import type { MasterKeys } from './master-key.ts';
import { VaultMasterKeys } from './vault-master.ts';

/** Has them open what they wrapped: what the oracle is given, which has no keepers of its own. */
export function masterOpener({
  keys,
}: {
  readonly keys: { readonly master: MasterConfig };
}): MasterKeys['unwrap'] {
  const master = openMaster(keys.master);
  return (name, wrapped, context) => master.unwrap(name, wrapped, context);
}

/** The master keys that `keys.master` of lethe.yaml names; nothing is asked of them yet. */
export function openMaster(config: MasterConfig): MasterKeys {
  switch (config.kind) {
    case 'local':
      return new LocalMasterKeys(config.file);
    case 'vault':
      return new VaultMasterKeys(config);
    case 'aws-kms':
      return new KmsMasterKeys(config);
  }
}
