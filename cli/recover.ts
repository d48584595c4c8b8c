import { Command } from 'commander';
import { confirmed } from './confirmed.ts';
import { parseRequestId } from './erase/request-command.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { planKeyStoreRecovery, type PlannedRecovery, recoverKeyStore } from './recover/recover-key-store.ts';
import { renderTable } from './table.ts';

interface Flags {
  readonly config: string;
  readonly reference: string;
  readonly withoutInvalid?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `lethe keys recover`: goes on with an older backup of the key store, once it is told who was erased since. */
export function recoverCommand(): Command {
  const command = new Command('recover')
    .description(
      'go on with an older backup of the key store: who was erased since is erased again, before anything may use it',
    )
    .requiredOption(
      '--reference <id>',
      'what this is filed under, for the audit: letters, digits, dots, - and _; nothing personal',
      parseRequestId,
    )
    .option('--without-invalid', 'leave out records of the ledger that are not this key store’s')
    .option('--dry-run', 'show what would be done; nothing is changed')
    .option('--yes', 'do it without asking')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON');
  return command.action(async ({ config: path, reference, withoutInvalid, dryRun, yes, json }: Flags) => {
    const config = await keysConfig(path);
    const planned = await planKeyStoreRecovery(config, withoutInvalid ? 'left-out' : 'refused');
    const { name } = await permitted(config, 'keys:manage');
    const print = (value: object, text: string): void =>
      void process.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
    if (!planned) {
      return print(
        { state: 'whole' },
        'the key store is as far as what is noted of it: nothing is to be recovered\n',
      );
    }
    if (dryRun) return print({ state: 'planned', ...describe(planned) }, render(planned));
    if (!json) process.stdout.write(render(planned));
    if (yes !== true && !(await confirmed('Has everything been stopped that uses this key store? Go on?'))) {
      command.error('error: nothing was changed: answer y, or use --yes', { exitCode: 2 });
    }
    const recovery = await recoverKeyStore(config, planned, reference, name);
    print({ state: 'recovered', ...recovery, ...describe(planned) }, advice(planned));
  });
}

function describe({ gap, plan, backupAt, from, leftOut, tokens, grants }: PlannedRecovery): object {
  return {
    why: gap.why,
    backupAt,
    from,
    noted: gap.anchor.seq,
    erase: plan.erase.length,
    returned: plan.returned,
    suppress: plan.suppress.length,
    lift: plan.lift.length,
    leftOut,
    lostRequests: plan.lost,
    openRequests: plan.again,
    tokens,
    grants,
  };
}

function render({ gap, plan, backupAt, from, leftOut }: PlannedRecovery): string {
  const rows = [
    ['erased again', String(plan.erase.length)],
    ['of them, let in again since; kept out until `lethe readmit`', String(plan.returned)],
    ['suppressed again', String(plan.suppress.length)],
    ['suppression lifted again', String(plan.lift.length)],
  ];
  return [
    `${gap.why}\nthe backup ends at entry ${from}, of ${backupAt.toISOString()}; entry ${gap.anchor.seq} is noted\n`,
    renderTable(['what', 'persons'], rows),
    leftOut === 0 ? '' : `${leftOut} records of the ledger are not this key store’s, and left out\n`,
  ].join('');
}

/** What nobody but people can do. */
function advice({ plan, tokens, grants }: PlannedRecovery): string {
  const lost = plan.lost.map(({ request }) => request);
  const lines = [
    'recovered: check, apply and run take this key store again. What is left to do:',
    '- keys that were made since the backup are lost: have all rows read again (`lethe connector delete`, `lethe apply`, `lethe run`, `lethe reconcile --repair`)',
    `- access is as it was then: ${tokens} tokens and ${grants} grants are valid; revoke what was revoked since (\`lethe access list\`)`,
    '- requests that were filed since and had not begun are lost: file them again',
    ...(lost.length > 0 ? [`- not in the backup, file them again by their ids: ${lost.join(', ')}`] : []),
    ...(plan.again.length > 0
      ? [
          `- in the backup as open: \`lethe erase resume\` carries them out once more: ${plan.again.join(', ')}`,
        ]
      : []),
  ];
  return `${lines.join('\n')}\n`;
}
