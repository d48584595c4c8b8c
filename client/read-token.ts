/** Anything that runs SQL on the source, such as a client or a pool of `pg`. */
export interface SourceClient {
  query(sql: string): Promise<{ rows: { lsn: string }[] }>;
}

export interface WaitOptions {
  /** Where `lethe serve` listens. */
  readonly url: string;
  /** Only this store; default: all. */
  readonly sink?: 'elasticsearch' | 'clickhouse';
  /** Only this table; default: all. */
  readonly table?: string;
  /** Longest wait, ms; default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * A token for what was committed before: an LSN. Take it on the connection that committed, after the commit, and hand it to whoever
 * is to read the stores.
 */
export async function takeReadToken(client: SourceClient): Promise<string> {
  const { rows } = await client.query('select pg_current_wal_insert_lsn()::text as lsn');
  return rows[0]!.lsn;
}

/**
 * True as soon as the stores have what the token stands for; false when they do not in time, or when nobody can say.
 * It never throws: a reader that gets false reads the source.
 */
export async function waitForReadToken(token: string, options: WaitOptions): Promise<boolean> {
  const { url, sink, table, timeoutMs = 10_000 } = options;
  const query = new URLSearchParams({
    lsn: token,
    timeout: `${timeoutMs}ms`,
    ...(sink ? { sink } : {}),
    ...(table ? { table } : {}),
  });
  try {
    // The server's own deadline comes first, unless it does not answer at all.
    const signal = AbortSignal.timeout(timeoutMs + 1_000);
    const response = await fetch(new URL(`/wait?${query.toString()}`, url), { signal });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Reads the store if it has what the token stands for, else the source. */
export async function readYourWrites<T>(
  token: string,
  options: WaitOptions,
  reads: { readonly store: () => Promise<T>; readonly source: () => Promise<T> },
): Promise<T> {
  return (await waitForReadToken(token, options)) ? reads.store() : reads.source();
}
