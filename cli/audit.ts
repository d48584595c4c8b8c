import { Command } from 'commander';
import { checkChain, lastEntries } from '../keys/audit/read-audit.ts';
import { withKeyStore } from '../keys/key-store-client.ts';
import { requireAnchored } from './anchored-keys.ts';
import { keysConfig } from './keys-config.ts';
import { permitted } from './permitted.ts';
import { renderTable } from './table.ts';
import { parseCount } from './whole-number.ts';

interface Flags {
  readonly config: string;
  readonly json?: true;
}

/** `lethe audit`: what was done with the keys, by whom, in a chain that shows when it was tampered with. */
export function auditCommand(): Command {
  const audit = new Command('audit').description('what was done with the keys, and by whom');
  audit
    .command('list')
    .description('the newest entries')
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--limit <count>', 'how many', parseCount, 50)
    .option('--json', 'print JSON')
    .action(async ({ config, limit, json }: Flags & { readonly limit: number }) => {
      const read = await keysConfig(config);
      await permitted(read, 'audit:read');
      const entries = await withKeyStore(read, (client) => lastEntries(client, limit));
      const plain = entries.map((entry) => ({ ...entry, seq: String(entry.seq) }));
      const rows = plain.map(({ seq, at, principal, action, details }) => [
        seq,
        at,
        principal,
        action,
        Object.entries(details)
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      ]);
      process.stdout.write(
        json ? `${JSON.stringify(plain)}\n` : renderTable(['entry', 'at', 'who', 'what', 'of which'], rows),
      );
    });
  audit
    .command('verify')
    .description(
      'walk along the whole chain; and look whether it goes as far as is noted in Kafka; exit 1 where an entry was changed, left out, put in between or cut off',
    )
    .option('-c, --config <file>', 'configuration', 'lethe.yaml')
    .option('--json', 'print JSON')
    .action(async ({ config, json }: Flags) => {
      const read = await keysConfig(config);
      await permitted(read, 'audit:read');
      const check = await withKeyStore(read, checkChain);
      if (!check.broken) await requireAnchored(read);
      const { entries, head, broken } = check;
      const said = broken
        ? `BROKEN at entry ${broken.seq}: ${broken.why}; the ${entries} before it are as they were written\n`
        : `${entries} entries, none changed, left out, put in between or cut off; head ${head}\n`;
      process.stdout.write(json ? `${JSON.stringify(check)}\n` : said);
      if (broken) process.exitCode = 1;
    });
  return audit;
}
