import type { PartStatus } from '../stack/stack.ts';

/** The parts as a table for people; passwords are not in it. */
export function statusTable(parts: readonly PartStatus[], nowMs: number = Date.now()): string {
  const rows = [
    ['part', 'state', 'port', 'pid', 'up for', 'version'],
    ...parts.map((status) => [
      status.part,
      status.state,
      status.port === undefined ? '-' : String(status.port),
      status.pid === undefined ? '-' : String(status.pid),
      status.sinceMs === undefined ? '-' : duration(nowMs - status.sinceMs),
      status.version,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** 12 s, 4 min, 3 h 20 min. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
