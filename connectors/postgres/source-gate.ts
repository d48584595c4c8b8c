import type { ClientBase } from 'pg';
import type { Config } from '../../schemas/config.ts';
import { tableParts } from '../../schemas/contract.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { LetheError } from '../../schemas/errors.ts';
import {
  type AppliedContract,
  gateIntervalMs,
  readAppliedContracts,
  requestReread,
  rereadIsDue,
} from './applied-contracts.ts';
import { noteDrift } from './astray.ts';
import type { Drift } from './drift.ts';
import { SourceLook } from './source-look.ts';

type Named = Pick<Config, 'name' | 'topics' | 'postgres'>;

/** Is told once when a table is no longer as it was applied, and once when it is again. */
export interface DriftObserver {
  readonly strayed: (drift: Drift) => void;
  readonly returned: (table: string) => void;
}

interface Seen {
  readonly applied: ReadonlyMap<string, AppliedContract>;
  /** Columns in no contract, of tables that are to halt then. */
  readonly unclassified: ReadonlyMap<string, readonly string[]>;
}

/**
 * Lets a table's changes be processed only while the contract here is the one that was applied last: an instance that was left behind
 * must not write what a newer contract protects. Looks at the source at most twice a second; while that is away
 * nothing can have been applied there, and what was seen last holds.
 */
export class SourceGate {
  private readonly config: Named;
  private readonly datasets: ReadonlyMap<string, Dataset>;
  private readonly source: SourceLook<Seen>;
  private readonly observer: DriftObserver | undefined;
  /** What was told of each table that is not as it was applied. */
  private told = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;

  constructor(config: Named, datasets: readonly Dataset[], observer?: DriftObserver, now?: () => number) {
    this.config = config;
    this.observer = observer;
    this.datasets = new Map(datasets.map((dataset) => [dataset.table, dataset]));
    this.source = new SourceLook(config, (client) => this.read(client), now);
  }

  /** Looks at the source also while no changes come: rows are to be read again on a quiet table too. */
  start(): void {
    // A source that is away is met by whoever asks.
    this.timer = setInterval(() => void this.source.look().catch(() => {}), gateIntervalMs);
  }

  /** Resolves if changes of the table may be processed; TABLE_HALTED, to be tried again, if not. */
  async check(table: string): Promise<void> {
    const { applied, unclassified } = await this.source.latest(2 * gateIntervalMs);
    const dataset = this.datasets.get(table)!;
    if (applied.get(table)?.digest !== dataset.digest) {
      throw new LetheError('TABLE_HALTED', `the contract of ${table} here is not the one that was applied`);
    }
    const columns = unclassified.get(table);
    if (columns) {
      throw new LetheError(
        'TABLE_HALTED',
        `${table} has columns that its contract does not name: ${columns.join(', ')}`,
        {
          fix: 'Name them in the contract, with drop if they are not to pass, and apply.',
        },
      );
    }
  }

  /**
   * Resolves if the table has these columns, which its events lack, now: they will have null for them, so its rows are to be read
   * again. TABLE_HALTED if one is gone: nobody knows then what stands in its place.
   */
  async confirm(table: string, columns: readonly string[]): Promise<void> {
    const dataset = this.datasets.get(table)!;
    const gone = await this.source.query(async (client) => {
      const there = await columnsOf(client, table);
      const missing = columns.filter((name) => !there.includes(name));
      if (missing.length === 0) await rereadIsDue(client, this.config, dataset);
      return missing;
    });
    if (gone.length === 0) return;
    throw new LetheError(
      'TABLE_HALTED',
      `columns of ${table} are renamed or dropped at the source: ${gone.join(', ')}`,
      {
        fix: 'Follow the change in the contract and apply, or take it back at the source.',
      },
    );
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.source.close();
  }

  /** More that leaves than is needed is the way of every change, until `apply` is through: `lethe status` tells of it. */
  private tell(drifts: readonly Drift[]): void {
    const missing = drifts.filter(({ misses }) => misses);
    for (const drift of missing) {
      if (this.told.get(drift.table) !== drift.what) this.observer?.strayed(drift);
    }
    const now = new Map(missing.map(({ table, what }) => [table, what]));
    for (const table of this.told.keys()) if (!now.has(table)) this.observer?.returned(table);
    this.told = now;
  }

  private async read(client: ClientBase): Promise<Seen> {
    const applied = await readAppliedContracts(client, this.config);
    this.tell(await noteDrift(client, this.config, applied, [...this.datasets.keys()]));
    const unclassified = new Map<string, readonly string[]>();
    for (const dataset of this.datasets.values()) {
      const own = applied.get(dataset.table);
      if (own?.reread === 'due' && own.digest === dataset.digest) {
        await requestReread(client, this.config, dataset);
      }
      if (dataset.contract.unclassified !== 'halt') continue;
      const columns = (await columnsOf(client, dataset.table)).filter(
        (name) => !Object.hasOwn(dataset.contract.columns, name),
      );
      if (columns.length > 0) unclassified.set(dataset.table, columns);
    }
    return { applied, unclassified };
  }
}

/** Names of the table's columns, in its order. */
async function columnsOf(client: ClientBase, qualified: string): Promise<string[]> {
  const { schema, table } = tableParts(qualified);
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_catalog.pg_attribute a
     join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [schema, table],
  );
  return rows.map(({ name }) => name);
}
