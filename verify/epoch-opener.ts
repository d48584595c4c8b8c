import { readFileSync } from 'node:fs';
import type { Config } from '../schemas/config.ts';
import { openGcm } from './rules/ciphertext.ts';
import { VerifyError } from './verify-error.ts';

/** Has the master key of that name open what it wrapped under that context. */
export type EpochOpener = (master: string, wrapped: Buffer, context: Buffer) => Promise<Buffer>;

/** By the master keys in the file of lethe.yaml; those of Vault and KMS never come out. */
export function localEpochOpener({ keys }: Pick<Config, 'keys'>): EpochOpener {
  const { master } = keys;
  return async (name, wrapped, context) => {
    if (master.kind !== 'local') {
      throw new VerifyError('NOT_COVERED', `keys under master keys of kind ${master.kind}`);
    }
    const file = JSON.parse(readFileSync(master.file, 'utf8')) as { keys: Record<string, string> };
    const key = file.keys[name];
    if (key === undefined) throw new VerifyError('NOT_COVERED', `there is no master key ${name}`);
    return openSealed(Buffer.from(key, 'base64'), wrapped, context);
  };
}

/** Nonce, ciphertext and tag. */
export function openSealed(key: Buffer, sealed: Buffer, context: Buffer): Buffer {
  const end = sealed.length - 16;
  return openGcm(key, sealed.subarray(0, 12), sealed.subarray(12, end), sealed.subarray(end), context);
}
