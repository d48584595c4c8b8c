import type { CommittedReader, CommittedRecord } from '../../pipeline/committed-reader.ts';
import type { CleanChange } from '../../pipeline/sink.ts';
import { header } from '../../schemas/record-headers.ts';
import { formatLsn, parseLsn, parseVersion, positionOf } from '../../schemas/version.ts';

/**
 * From where records are written again: an offset of every partition, the time at which a record came to the clean topic (ms since the
 * epoch), or a position at the source.
 */
export type ReplayPoint =
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'lsn'; readonly lsn: bigint };

/** A time has a date, a clock and a zone, so that it is the same for everyone. */
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** `1234`, `2026-11-26T10:00:00Z` or `16/B374D848`; undefined for anything else. */
export function parseReplayPoint(text: string): ReplayPoint | undefined {
  if (/^\d{1,18}$/.test(text)) return { kind: 'offset', offset: BigInt(text) };
  if (/^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(text)) return { kind: 'lsn', lsn: parseLsn(text) };
  const timeMs = time.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : { kind: 'time', timeMs };
}

/** Where each partition is to be read from. Positions at the source are looked for from the start: nothing is sorted by them. */
export async function startsOf(
  point: ReplayPoint,
  reader: CommittedReader,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const starts =
    point.kind === 'time' ? await reader.since([topic], point.timeMs) : await reader.starts([topic]);
  return new Map(
    starts.map(({ partition, next }) => [
      partition,
      point.kind === 'offset' && point.offset > next ? point.offset : next,
    ]),
  );
}

/** Whether a change lies behind the point, of what is read from {@link startsOf} on. */
export function isBehind(point: ReplayPoint, { version }: Pick<CleanChange, 'version'>): boolean {
  return point.kind !== 'lsn' || positionOf(version) >= point.lsn;
}

/** The first record that a partition still has, in the terms of the point. */
export interface FirstRecord {
  readonly partition: number;
  readonly offset: string;
  /** ISO 8601. */
  readonly time: string;
  readonly lsn: string | undefined;
}

/**
 * Partitions of which the topic has no record from the point on until a later one: what came in between was compacted, or never came.
 */
export async function laterStarts(
  point: ReplayPoint,
  reader: CommittedReader,
  topic: string,
): Promise<FirstRecord[]> {
  const later: FirstRecord[] = [];
  const ends = await reader.ends([topic]);
  for (const { partition, next } of ends.toSorted((a, b) => a.partition - b.partition)) {
    const first = await firstRecord(reader, topic, partition, next);
    if (!first) continue;
    const version = parseVersion(first.headers.get(header.version) ?? '');
    const lsn = version && positionOf(version);
    const isLater =
      (point.kind === 'offset' && point.offset < first.offset) ||
      (point.kind === 'time' && point.timeMs < first.timestampMs) ||
      (point.kind === 'lsn' && lsn !== undefined && point.lsn < lsn);
    if (!isLater) continue;
    later.push({
      partition,
      offset: String(first.offset),
      time: new Date(first.timestampMs).toISOString(),
      lsn: lsn === undefined ? undefined : formatLsn(lsn),
    });
  }
  return later;
}

async function firstRecord(
  reader: CommittedReader,
  topic: string,
  partition: number,
  end: bigint,
): Promise<CommittedRecord | undefined> {
  for await (const records of reader.read(topic, partition, 0n, end))
    if (records[0] && records[0].offset < end) return records[0];
  return undefined;
}
