import { setTimeout as sleep } from 'node:timers/promises';
import { refreshIndexes } from '../sinks/elasticsearch/refresh.ts';
import type { Config } from '../schemas/config.ts';
import { didYouMean } from '../schemas/did-you-mean.ts';
import { LetheError } from '../schemas/errors.ts';
import { type SinkName, sinkNames } from '../schemas/sink-name.ts';
import { formatLsn, parseLsn } from '../schemas/version.ts';
import type { Dataset } from '../schemas/dataset.ts';
import type { Watermarks } from '../pipeline/watermarks.ts';

/** What a reader waits for: that stores have what was committed up to an LSN. */
export interface ReadToken {
  readonly lsn: bigint;
  readonly sinks: readonly SinkName[];
  readonly tables: readonly string[];
}

/** What became of the waiting. */
export interface WaitAnswer {
  readonly reached: boolean;
  readonly lsn: string;
  /** How far each sink is with each table, null where that is not known yet. */
  readonly watermarks: readonly Watermark[];
}

export interface Watermark {
  readonly sink: SinkName;
  readonly table: string;
  readonly lsn: string | null;
}

const pauseMs = 50;

/** A token from texts as people give them; all sinks and all tables where none is named. CONFIG_INVALID names what is wrong. */
export function readToken(
  texts: { readonly lsn: string; readonly sink?: string | undefined; readonly table?: string | undefined },
  datasets: readonly Dataset[],
): ReadToken {
  if (!/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(texts.lsn)) {
    throw new LetheError('CONFIG_INVALID', 'the LSN is none', {
      fix: 'Give it as Postgres prints it, 16/B374D848: `select pg_current_wal_insert_lsn()` after the commit.',
    });
  }
  const tables = datasets.map(({ table }) => table);
  return {
    lsn: parseLsn(texts.lsn),
    sinks: oneOf('sink', texts.sink, sinkNames),
    tables: oneOf('table', texts.table, tables),
  };
}

function oneOf<T extends string>(what: string, name: string | undefined, known: readonly T[]): readonly T[] {
  if (name === undefined) return known;
  const found = known.find((one) => one === name);
  if (found !== undefined) return [found];
  throw new LetheError('CONFIG_INVALID', `there is no such ${what}${didYouMean(name, known)}`, {
    fix: `Give one of: ${known.join(', ')}.`,
  });
}

/**
 * Waits until the stores have everything up to the token, or the signal says that it was long enough. Elasticsearch is then asked to
 * show it to searches too, which it else does once a second.
 */
export async function waitForToken(
  config: Config,
  watermarks: Watermarks,
  token: ReadToken,
  signal: AbortSignal,
): Promise<WaitAnswer> {
  const { lsn, sinks, tables } = token;
  let reached = false;
  for (;;) {
    await watermarks.update();
    reached = watermarks.have(lsn, sinks, tables);
    if (reached || signal.aborted) break;
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  if (reached && sinks.includes('elasticsearch')) await refreshIndexes(config, tables);
  return { reached, lsn: formatLsn(lsn), watermarks: watermarksOf(watermarks, token) };
}

/** Where every sink is with every table that the token is about. */
export function watermarksOf(
  watermarks: Watermarks,
  { sinks, tables }: Pick<ReadToken, 'sinks' | 'tables'>,
): Watermark[] {
  return watermarks.fed
    .filter(({ sink, table }) => sinks.includes(sink) && tables.includes(table))
    .map(({ sink, table }) => {
      const lsn = watermarks.of(sink, table);
      return { sink, table, lsn: lsn === undefined ? null : formatLsn(lsn) };
    });
}
