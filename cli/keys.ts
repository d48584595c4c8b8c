import { Command } from 'commander';
import { readKeyStoreStatus } from '../keys/key-store-status.ts';
import { rotateKey } from '../keys/rotate-key.ts';
import { type Turn, turnEpoch } from '../keys/turn-epoch.ts';
import { anchorKeys, requireAnchored } from './anchored-keys.ts';
import { type FinalCertificate, finaliseCertificates } from './erase/finalise.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { ProgressBar } from './progress-bar.ts';
import { recoverCommand } from './recover.ts';
import { parseSubject, type Subject } from './subject.ts';
import { renderKeyStore } from './show-key-store.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
}

/** `lethe keys`: the key store, its epochs and their master keys. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('the key store and its master keys');
  keys
    .command('status')
    .description('its epochs, how many keys it holds, and which were destroyed for good')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const status = await readKeyStoreStatus(await keysConfig(flags.config));
      process.stdout.write(flags.json ? `${JSON.stringify(status)}\n` : renderKeyStore(status));
    });
  keys
    .command('turn')
    .description(
      'open the next epoch under a new master key, wrap all keys under it, destroy the master keys of those before: what was erased is gone from backups too',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async (flags: Flags) => {
      const config = await keysConfig(flags.config);
      await requireAnchored(config);
      await permitted(config, 'keys:manage');
      const bar = new ProgressBar();
      bar.stage('wrapping keys under the next epoch');
      let most = 0;
      const turn = await turnEpoch(config, {
        onProgress: (left) => {
          most = Math.max(most, left);
          bar.progress(most - left, most, 'keys');
        },
      }).finally(() => bar.end());
      const certificates = await finaliseCertificates(config);
      await anchorKeys(config);
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ ...turn, certificates })}\n`
          : `${turnText(turn)}${finalText(certificates)}`,
      );
    });
  keys
    .command('rotate')
    .description("give one person's key the next generation; what was encrypted before stays readable")
    .requiredOption('--subject <type:id>', 'whose, as the contracts call them: customer:42', parseSubject)
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async ({ config: path, subject, json }: Flags & { readonly subject: Subject }) => {
      const config = await keysConfig(path);
      await requireAnchored(config);
      await permitted(config, 'keys:manage');
      const rotated = await rotateKey(config, { type: subject.type }, subject.id);
      await anchorKeys(config);
      const { keyId, generation } = rotated;
      process.stdout.write(
        json ? `${JSON.stringify(rotated)}\n` : `key ${keyId} is in generation ${generation}\n`,
      );
    });
  return keys.addCommand(recoverCommand());
}

function finalText(certificates: readonly FinalCertificate[]): string {
  return certificates
    .map(({ request, certificate }) => `certificate ${certificate} is final: of request ${request}\n`)
    .join('');
}

function turnText({ epoch, ended, rewrapped }: Turn): string {
  const lines = ended.map(({ epoch: before, destruction }) =>
    destruction.state === 'destroyed'
      ? `the master key of epoch ${before} is destroyed: what was erased under it is gone for good\n`
      : `the master key of epoch ${before} is out of use and gone on ${destruction.until.toISOString()}: until then it can be taken back\n`,
  );
  return `epoch ${epoch} is open, ${rewrapped} keys are wrapped under it\n${lines.join('')}`;
}
