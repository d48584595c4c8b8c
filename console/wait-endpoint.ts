import type { Config } from '../schemas/config.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { parseDurationMs } from '../schemas/duration.ts';
import { LetheError } from '../schemas/errors.ts';
import { sinkNames } from '../schemas/sink-name.ts';
import type { Watermarks } from '../pipeline/watermarks.ts';
import type { Endpoint } from './http-server.ts';
import { readToken, waitForToken, watermarksOf } from './read-token.ts';

export const defaultTimeout = '10s';

/** Longest wait for a token: a client that wants more asks again. */
const longestMs = 5 * 60_000;

/**
 * `GET /wait?lsn=16/B374D848[&sink=clickhouse][&table=public.orders][&timeout=10s]`: 200 as soon as the stores have everything up to
 * the LSN, 504 when the time is up first. `GET /watermarks`: how far each sink is with each table.
 */
export function waitEndpoints(
  config: Config,
  datasets: readonly Dataset[],
  watermarks: Watermarks,
): Readonly<Record<string, Endpoint>> {
  const all = { sinks: sinkNames, tables: datasets.map(({ table }) => table) };
  return {
    '/wait': async (query, gone) => {
      const text = (name: string): string | undefined => query.get(name) ?? undefined;
      const lsn = text('lsn') ?? '';
      const token = readToken({ lsn, sink: text('sink'), table: text('table') }, datasets);
      const limit = AbortSignal.timeout(timeoutMs(text('timeout') ?? defaultTimeout));
      const answer = await waitForToken(config, watermarks, token, AbortSignal.any([gone, limit]));
      return [answer.reached ? 200 : 504, answer];
    },
    '/watermarks': async () => {
      await watermarks.update();
      return [200, { watermarks: watermarksOf(watermarks, all) }];
    },
  };
}

/** CONFIG_INVALID for what is no duration, or too long a one. */
export function timeoutMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms <= longestMs) return ms;
  throw new LetheError('CONFIG_INVALID', 'the timeout is no duration of at most 5m', {
    fix: 'Give it as 500ms, 10s or 2m.',
  });
}
