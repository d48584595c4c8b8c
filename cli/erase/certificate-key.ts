import { Command } from 'commander';
import { withSigningKey } from '../../keys/signing-key.ts';
import { keysConfig } from '../keys-config.ts';

/** `lethe erase certificate-key`: what is given to whoever will verify certificates, once, by a way that he trusts. */
export function certificateKeyCommand(): Command {
  return new Command('certificate-key')
    .description('the public key that certificates are verified with, in PEM')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON, with its fingerprint')
    .action(async ({ config, json }: { readonly config: string; readonly json?: true }) => {
      const { publicKey, fingerprint } = await withSigningKey(await keysConfig(config), (key) => key);
      process.stdout.write(json ? `${JSON.stringify({ publicKey, fingerprint })}\n` : publicKey);
    });
}
