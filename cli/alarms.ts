import { readAppliedContracts } from '../connectors/postgres/applied-contracts.ts';
import { noteDrift, readAstray } from '../connectors/postgres/astray.ts';
import { withSource } from '../connectors/postgres/source-client.ts';
import type { Config } from '../schemas/config.ts';
import { renderTable } from './table.ts';

/** A table whose changes do not come as they were applied to come, or did not for a while. */
export interface Alarm {
  readonly table: string;
  /** Since when it is known, ISO 8601; undefined where nothing was missed. */
  readonly since?: string;
  readonly what: string;
  readonly fix: string;
}

/** Looks at the source for tables of these contracts that have left the publication, and for those that were not reconciled since. */
export async function readAlarms(config: Config, tables: readonly string[]): Promise<Alarm[]> {
  return await withSource(config.postgres, async (client) => {
    const applied = await readAppliedContracts(client, config);
    const drifts = await noteDrift(client, config, applied, tables);
    const astray = await readAstray(client, config);
    const sinceOf = new Map(astray.map(({ table, since }) => [table, since.toISOString()]));
    const now = drifts.map(({ table, what, fix, misses }): Alarm => {
      const since = sinceOf.get(table);
      const then = misses ? ` Then ${reconciled(table)}.` : '';
      return { table, ...(since === undefined ? {} : { since }), what, fix: `${fix}${then}` };
    });
    const over = astray
      .filter(({ table }) => tables.includes(table) && !drifts.some((drift) => drift.table === table))
      .map(({ table, since, until }): Alarm => {
        const what = `was not as applied until ${until.toISOString()}: what changed meanwhile may be missing downstream, deletes too`;
        return { table, since: since.toISOString(), what, fix: `Run ${reconciled(table)}.` };
      });
    return [...now, ...over];
  });
}

function reconciled(table: string): string {
  return `\`lethe reconcile ${table} --repair\``;
}

/** The alarms for people; nothing where there are none. */
export function renderAlarms(alarms: readonly Alarm[]): string {
  if (alarms.length === 0) return '';
  return renderTable(
    ['ALARM', 'since', 'what, and the way out'],
    alarms.map(({ table, since, what, fix }) => [
      { text: table, style: 'red' },
      since ?? '-',
      `${what} -> ${fix}`,
    ]),
  );
}
