import { randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import type { AppliedGeneration } from '../../pipeline/contract-rule.ts';
import { refuse, type Step, steppedResource } from '../../pipeline/planned-steps.ts';
import type { Resource } from '../../pipeline/resource.ts';
import type { GenerationOf } from '../../pipeline/store-generation.ts';
import { canonicalJson } from '../../schemas/canonical-json.ts';
import type { Config } from '../../schemas/config.ts';
import { type Dataset, rulesOf } from '../../schemas/dataset.ts';
import { contractsTable, signalTable } from '../../schemas/names.ts';
import { recordKeyRule } from '../../schemas/record-key-rule.ts';
import { withSource } from './source-client.ts';
import { readSourceIdentity, tellMove } from './source-identity.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** Columns of the table of applied contracts. */
export const appliedContractsSql = `(table_name text, digest text, rules jsonb NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  reread text NOT NULL CHECK (reread IN ('none', 'due', 'requested', 'merged', 'done')),
  generation int NOT NULL DEFAULT 1, record_key jsonb,
  published jsonb, astray_since timestamptz, astray_until timestamptz, source text,
  PRIMARY KEY (table_name, digest))`;

/** Columns that tables of earlier versions lack. */
export const laterColumnsSql = `ADD COLUMN IF NOT EXISTS generation int NOT NULL DEFAULT 1,
  ADD COLUMN IF NOT EXISTS record_key jsonb, ADD COLUMN IF NOT EXISTS published jsonb,
  ADD COLUMN IF NOT EXISTS astray_since timestamptz, ADD COLUMN IF NOT EXISTS astray_until timestamptz,
  ADD COLUMN IF NOT EXISTS source text`;

/** The same of a row `c`, whether the columns are there yet or not. */
const generationSql = `coalesce((to_jsonb(c)->>'generation')::int, 1)`;
const recordKeySql = `nullif(to_jsonb(c)->'record_key', 'null')`;
const publishedSql = `nullif(to_jsonb(c)->'published', 'null')`;
const sourceSql = `to_jsonb(c)->>'source'`;

/**
 * Whether the rows that were there before are read again under a contract: not needed, to be asked for by the first processor that runs
 * under it, asked for, complete and merged in the stores, or seen to have left nothing older anywhere.
 */
export type Reread = 'none' | 'due' | 'requested' | 'merged' | 'done';

/** The contract of a table that was applied last. */
export interface AppliedContract {
  readonly table: string;
  readonly digest: string;
  readonly rules: ReturnType<typeof rulesOf>;
  /** Rules of the one before; null if it is the first. */
  readonly before: ReturnType<typeof rulesOf> | null;
  readonly reread: Reread;
  /** Of index and table that its rows go to. */
  readonly generation: number;
  /** What the records' keys are made of, see recordKeyRule; null where an earlier version did not say. */
  readonly recordKey: readonly string[] | null;
  /** Columns that leave Postgres under it; null where an earlier version did not say. */
  readonly published: readonly string[] | null;
  /** Which source it was applied to, see source-identity.ts; null where an earlier version did not say. */
  readonly source: string | null;
}

/** The latest of each table; none at all where nothing was ever applied. */
export async function readAppliedContracts(
  client: ClientBase,
  config: Named,
): Promise<ReadonlyMap<string, AppliedContract>> {
  const rows = await readAll<AppliedContract>(
    client,
    config,
    `digest, rules, reread, ${generationSql} as generation, ${recordKeySql} as "recordKey",
       ${publishedSql} as published, ${sourceSql} as source,
       lag(rules) over (partition by table_name order by applied_at) as before`,
  );
  // The last of each table stays.
  return new Map(rows.map((row) => [row.table, row]));
}

/** Every contract that each table has been under, in the order in which they were applied last. */
export async function readContractHistory(
  client: ClientBase,
  config: Named,
): Promise<ReadonlyMap<string, readonly AppliedGeneration[]>> {
  const history = new Map<string, AppliedGeneration[]>();
  for (const { table, digest, generation } of await readAll<AppliedGeneration & { table: string }>(
    client,
    config,
    `digest, ${generationSql} as generation`,
  )) {
    history.set(table, [...(history.get(table) ?? []), { digest, generation }]);
  }
  return history;
}

async function readAll<T extends { readonly table: string }>(
  client: ClientBase,
  config: Named,
  columns: string,
): Promise<T[]> {
  const table = contractsTable(config);
  const { rows: found } = await client.query<{ there: boolean }>(
    'select to_regclass($1) is not null as there',
    [table],
  );
  if (!found[0]?.there) return [];
  const { rows } = await client.query<T>(
    `select table_name as "table", ${columns} from ${table} c order by applied_at`,
  );
  return rows;
}

/**
 * Records which contract each table is under, the last thing that is applied. What there was under another one, or of a table that joins
 * a pipeline at work, is to be read again.
 */
export function contractResources(
  config: Named,
  datasets: readonly Dataset[],
  generationOf: GenerationOf,
): Resource[] {
  const note = (noted: readonly Dataset[], reread: Reread) => () =>
    record(config, noted, reread, generationOf);
  return [
    steppedResource('contracts', 'postgres', () =>
      withSource(config.postgres, async (client) => {
        const applied = await readAppliedContracts(client, config);
        const fresh = datasets.filter(({ table }) => !applied.has(table));
        const changed = datasets.filter(
          ({ table, digest }) => (applied.get(table)?.digest ?? digest) !== digest,
        );
        const source = await readSourceIdentity(client);
        const steps = changed.map((dataset): Step => {
          const before = applied.get(dataset.table)!;
          const otherKey = keyRefusal(before, dataset);
          if (otherKey) return otherKey;
          const columns = changedColumns(before.rules, dataset).join(', ');
          const what = columns === '' ? '' : ` (${columns})`;
          const summary = `contract or shape of ${dataset.table} changes${what}: its rows are read again`;
          return { change: { action: 'update', summary }, run: note([dataset], 'due') };
        });
        steps.push(...sourceSteps(config, datasets, applied, source, note));
        if (fresh.length === 0) return steps;
        const joins = applied.size > 0;
        const summary = `contracts of ${fresh.map(({ table }) => table).join(', ')}${joins ? ': their rows are read' : ''}`;
        return [
          ...steps,
          { change: { action: 'create', summary }, run: note(fresh, joins ? 'due' : 'none') },
        ];
      }),
    ),
  ];
}

/** Rows of a source that is another one than before get versions that are above all that the stores have. */
function sourceSteps(
  config: Named,
  datasets: readonly Dataset[],
  applied: ReadonlyMap<string, AppliedContract>,
  source: string | undefined,
  note: (noted: readonly Dataset[], reread: Reread) => () => Promise<void>,
): Step[] {
  const same = datasets.filter(({ table, digest }) => applied.get(table)?.digest === digest);
  const moved = same.filter(({ table }) => (applied.get(table)!.source ?? source) !== source);
  const unknown = same.filter(({ table }) => applied.get(table)!.source === null);
  const steps = moved.map((dataset): Step => {
    const summary = `${tellMove(applied.get(dataset.table)!.source!, source!)}: rows of ${dataset.table} are read again`;
    return { change: { action: 'update', summary }, run: note([dataset], 'due') };
  });
  if (unknown.length === 0 || source === undefined) return steps;
  const run = () =>
    withSource(config.postgres, async (client) => {
      await client.query(`update ${contractsTable(config)} set source = $1 where source is null`, [source]);
    });
  return [...steps, { change: { action: 'update', summary: 'which source this is, is noted' }, run }];
}

/** Rows that are read again under other keys would stand beside those under the old ones, which nothing would ever replace. */
function keyRefusal({ recordKey }: AppliedContract, dataset: Dataset): Step | undefined {
  const key = recordKeyRule(dataset);
  if (recordKey === null || same(recordKey, key)) return undefined;
  return refuse(
    `the records of ${dataset.table} get other keys (${recordKey.join(', ')} -> ${key.join(', ')}), and nothing replaces those under the old ones`,
    'Keep the key as it is, or set the pipeline up anew with another name and topics.prefix.',
  );
}

/** Columns whose rule differs; all of them where the subject or the rows that pass do. */
export function changedColumns(before: AppliedContract['rules'], dataset: Dataset): string[] {
  const now = rulesOf(dataset.contract);
  const names = [...new Set([...Object.keys(before.columns), ...Object.keys(now.columns)])];
  const whole = !same([before.subject, before.where, before.consent], [now.subject, now.where, now.consent]);
  return whole ? names : names.filter((name) => !same(before.columns[name], now.columns[name]));
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

async function record(
  config: Named,
  datasets: readonly Dataset[],
  reread: Reread,
  generationOf: GenerationOf,
): Promise<void> {
  await withSource(config.postgres, async (client) => {
    const source = await readSourceIdentity(client);
    for (const dataset of datasets) {
      const rules = JSON.stringify(rulesOf(dataset.contract));
      const key = JSON.stringify(recordKeyRule(dataset));
      const { generation } = generationOf(dataset.table);
      await client.query(
        `insert into ${contractsTable(config)} (table_name, digest, rules, reread, generation, record_key, published, source)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (table_name, digest) do update set applied_at = clock_timestamp(), reread = 'due',
           generation = excluded.generation, record_key = excluded.record_key, published = excluded.published,
           source = excluded.source`,
        [
          dataset.table,
          dataset.digest,
          rules,
          reread,
          generation,
          key,
          JSON.stringify(dataset.published),
          source ?? null,
        ],
      );
    }
  });
}

/** Processors look this often, and at most twice as late, whether their contract is still the one that was applied. */
export const gateIntervalMs = 500;

/**
 * Asks Debezium for an incremental snapshot of a table whose rows are to be read again, if nobody did yet. Only after every processor
 * under an older contract has had the time to see that it is one.
 */
export async function requestReread(client: ClientBase, config: Named, dataset: Dataset): Promise<void> {
  const data = JSON.stringify({ 'data-collections': [dataset.table], type: 'incremental' });
  await client.query(
    `with due as (
       update ${contractsTable(config)} set reread = 'requested'
       where table_name = $1 and digest = $2 and reread = 'due'
         and applied_at < clock_timestamp() - make_interval(secs => $3)
       returning 1)
     insert into ${signalTable(config)} (id, type, data) select $4, 'execute-snapshot', $5 from due`,
    [dataset.table, dataset.digest, (4 * gateIntervalMs) / 1000, `lethe-reread-${randomUUID()}`, data],
  );
}

/** Notes how far the rereading has come, from one state to the next. */
export async function advanceReread(
  client: ClientBase,
  config: Named,
  dataset: Dataset,
  [from, to]: readonly ['requested', 'merged'] | readonly ['merged', 'done'],
): Promise<void> {
  await client.query(
    `update ${contractsTable(config)} set reread = $4 where table_name = $1 and digest = $2 and reread = $3`,
    [dataset.table, dataset.digest, from, to],
  );
}

/** Tables of which something older is still to go: from the moment a change is planned until nothing is left. */
export function tablesUnderChange(
  applied: ReadonlyMap<string, AppliedContract>,
  datasets: readonly Dataset[],
): ReadonlySet<string> {
  if (applied.size === 0) return new Set();
  const settled: ReadonlySet<string | undefined> = new Set(['none', 'done']);
  return new Set(
    datasets
      .filter(({ table, digest }) => {
        const own = applied.get(table);
        return own?.digest !== digest || !settled.has(own.reread);
      })
      .map(({ table }) => table),
  );
}

/** Notes that events came which do not hold what the contract asks for: only their rows do. */
export async function rereadIsDue(client: ClientBase, config: Named, dataset: Dataset): Promise<void> {
  await client.query(
    `update ${contractsTable(config)} set reread = 'due' where table_name = $1 and digest = $2`,
    [dataset.table, dataset.digest],
  );
}
