/** Where a sink stands in one partition; it travels in the metadata of the committed offset. */
export interface SinkPosition {
  /** LSN of the newest change applied, as Postgres prints it. */
  readonly lsn: string;
  /** Commit time of that change at the source, ms since the epoch. */
  readonly commitMs: number;
}

export function formatSinkPosition(position: SinkPosition): string {
  return `${position.lsn} ${position.commitMs}`;
}

/** The one of the newer change, in text: what is delivered again does not set a sink back. */
export function newerPosition(a: string | null, b: string | null): string | null {
  const [left, right] = [parseSinkPosition(a), parseSinkPosition(b)];
  if (!left || !right) return left ? a : b;
  return left.commitMs > right.commitMs ? a : b;
}

/** The inverse of {@link formatSinkPosition}; undefined for anything else. */
export function parseSinkPosition(text: string | null | undefined): SinkPosition | undefined {
  const m = /^([0-9A-F]+\/[0-9A-F]+) (\d+)$/.exec(text ?? '');
  return m ? { lsn: m[1]!, commitMs: Number(m[2]) } : undefined;
}
