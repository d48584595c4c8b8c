import { withSource } from '../../connectors/postgres/source-client.ts';
import { planSourceErasure } from '../../connectors/postgres/source-erasure-plan.ts';
import { sourceRowsOf } from '../../connectors/postgres/subject-rows.ts';
import { findHold, type Hold, underHold, waysOut } from '../../erasure/holds.ts';
import { requireNoticeTopic } from '../../erasure/notice-topic.ts';
import { recordsOf, type SubjectRecord } from '../../erasure/subject-index.ts';
import { withKeyStore } from '../../keys/key-store-client.ts';
import type { PostgresKeyStore } from '../../keys/postgres-key-store.ts';
import { columnOutcomes } from '../../schemas/column-outcome.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Project } from '../project.ts';
import type { Subject } from '../subject.ts';
import { renderTable } from '../table.ts';

/** What an erasure would do in one table. */
export interface PlannedTable {
  readonly table: string;
  readonly rowsAtTheSource: number;
  readonly source: 'delete' | 'null' | 'application';
  readonly records: number;
  readonly stores: readonly string[];
  /** Columns that the key does not forget in copies. */
  readonly byDeletionOnly: readonly string[];
  /** What the law has to be kept. */
  readonly retained?: { readonly columns: readonly string[]; readonly basis: string; readonly for: string };
}

export interface PlannedErasure {
  readonly tables: readonly PlannedTable[];
  /** What stands in the way, or is to be known. */
  readonly obstacles: readonly {
    readonly severity: string;
    readonly message: string;
    readonly fix: string;
  }[];
}

/** What an erasure of this person, under all of these ids, would do; nothing is changed. */
export async function planErasure(
  { config, datasets }: Project,
  keys: PostgresKeyStore,
  subjects: readonly [Subject, ...Subject[]],
): Promise<PlannedErasure> {
  const [{ type }] = subjects;
  const { records, hold } = await withKeyStore(config, async (client) => {
    const found: SubjectRecord[] = [];
    let held: Hold | undefined;
    for (const { id } of subjects) {
      const digest = await keys.subjectDigest({ type }, id);
      found.push(...(await recordsOf(client, type, digest)));
      held ??= await findHold(client, { type, digest });
    }
    return { records: found, hold: held };
  });
  return withSource(config.postgres, async (client) => {
    const plan = await planSourceErasure(client, datasets, type);
    const tables: PlannedTable[] = [];
    for (const { table, source } of plan.tables) {
      const dataset = datasets.find((own) => own.table === table)!;
      let rowsAtTheSource = 0;
      for (const { id } of subjects)
        for await (const batch of sourceRowsOf(client, dataset, id)) rowsAtTheSource += batch.length;
      tables.push({
        table,
        rowsAtTheSource,
        source,
        records: records.filter((record) => record.table === table).length,
        stores: dataset.contract.sinks,
        byDeletionOnly: columnOutcomes(dataset).flatMap(({ column, forgotten }) =>
          forgotten === 'deletion' ? [column] : [],
        ),
        ...(dataset.contract.erasure?.retain ? { retained: dataset.contract.erasure.retain } : {}),
      });
    }
    const obstacles = plan.obstacles.map(({ severity, message, fix }) => ({
      severity,
      message,
      fix: fix ?? '',
    }));
    const held = hold ? [{ severity: 'error', message: underHold(hold), fix: waysOut }] : [];
    return { tables, obstacles: [...held, ...(await untold(config)), ...obstacles] };
  });
}

/** Recipients could not be told. */
async function untold(config: Config): Promise<PlannedErasure['obstacles']> {
  try {
    await requireNoticeTopic(config);
    return [];
  } catch (error) {
    if (!(error instanceof LetheError) || error.code !== 'ERASURE_REFUSED') throw error;
    return [{ severity: 'error', message: error.message, fix: error.fix ?? '' }];
  }
}

export function renderPlan({ tables, obstacles }: PlannedErasure): string {
  const rows = tables.map(({ table, rowsAtTheSource, source, records, stores, byDeletionOnly }) => [
    table,
    String(rowsAtTheSource),
    source,
    String(records),
    stores.join(', '),
    byDeletionOnly.join(', '),
  ]);
  const said = obstacles.map(
    ({ severity, message, fix }) => `${severity}: ${message}${fix ? `\n  ${fix}` : ''}\n`,
  );
  const head = ['table', 'rows at the source', 'there', 'records', 'stores', 'protected by deletion only'];
  const kept = tables.map(({ table, retained }) =>
    retained
      ? `${table}: ${retained.columns.join(', ')} stay for ${retained.for}, under ids drawn by lot (${retained.basis})\n`
      : '',
  );
  return `${renderTable(head, rows)}${kept.join('')}${said.join('')}nothing was changed\n`;
}
