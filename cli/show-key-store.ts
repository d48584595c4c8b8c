import type { AccessStatus, KeyStoreStatus } from '../keys/key-store-status.ts';
import { type Cell, renderTable } from './table.ts';

/** The key store for people. */
export function renderKeyStore(status: KeyStoreStatus): string {
  const { environment, overrides, epochs, keys, provisional, access } = status;
  const rows = epochs.map(({ epoch, master, name, state, openedAt, finalAt }): (string | Cell)[] => [
    String(epoch),
    { text: state, style: state === 'open' || state === 'destroyed' ? 'green' : 'yellow' },
    `${master} ${name}`,
    openedAt.toISOString(),
    finalAt?.toISOString() ?? '-',
  ]);
  const taken = overrides.length === 0 ? '' : `, overrides: ${overrides.join(', ')}`;
  const left =
    provisional === 0
      ? ''
      : `${provisional} of them can still be opened by whoever has an older backup and the master keys: \`lethe keys turn\` ends that\n`;
  return [
    renderTable(['epoch', 'state', 'master key', 'opened', 'gone for good'], rows),
    `${keys.kept} keys, ${keys.destroyed} destroyed\n${left}`,
    `environment ${environment}${taken}\naccess: ${accessText(access)}\n`,
  ].join('\n');
}

/** How the key store is guarded, for people. */
export function accessText({ open, principals, openGlass }: AccessStatus): string {
  const said = open
    ? `open, whoever has lethe.yaml may do all${principals > 0 ? ', outside of production' : ''}`
    : `by token, ${principals} principals`;
  return openGlass === 0 ? said : `${said}, ${openGlass} GLASS BROKEN: \`lethe glass list\``;
}
