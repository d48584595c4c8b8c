import { keyDigest } from '../verify/rules/record-key.ts';
import type { Mismatch, TableReconciliation } from '../repair/mismatch.ts';
import { formatVersion } from '../schemas/version.ts';
import { renderTable } from './table.ts';

interface Options {
  /** Name rows by the keys that consumers see. */
  readonly keys: boolean;
}

/** Rows that a person reads at most; JSON has all. */
const mostShown = 20;

/** A line for each table, then the rows that were found. */
export function renderReconciliations(found: readonly TableReconciliation[], options: Options): string {
  const count = (rows: readonly Mismatch[], kind: Mismatch['kind']): string =>
    String(rows.filter((row) => row.kind === kind).length);
  const heads = [
    'table',
    'rows',
    'compared',
    'missing',
    'extra',
    'stale',
    'different',
    'repaired',
    'left',
    's',
  ];
  const lines = found.map(({ table, rows, compared, found: own, repaired, left, more, seconds }) => [
    table,
    String(rows),
    String(compared),
    ...(['missing', 'extra', 'stale', 'different'] as const).map((kind) => count(own, kind)),
    String(repaired),
    { text: `${left.length}${more ? ' and more' : ''}`, style: left.length > 0 ? 'red' : 'green' } as const,
    String(seconds),
  ]);
  const rows = found.flatMap(({ table, found: own }) => own.map((mismatch) => ({ table, ...mismatch })));
  const parts = [renderTable(heads, lines)];
  if (rows.length > 0) {
    parts.push(
      renderTable(
        ['table', 'store', 'row', 'is', 'columns'],
        rows
          .slice(0, mostShown)
          .map((row) => [row.table, row.sink, nameOf(row, options), row.kind, columnsOf(row)]),
      ),
    );
  }
  if (rows.length > mostShown) parts.push(`and ${rows.length - mostShown} more: --json has all\n`);
  if (found.some(({ more }) => more))
    parts.push('So many rows differ that not all are listed: rebuild the store.\n');
  return parts.join('\n');
}

/** The same for programs. */
export function reconciliationJson(found: readonly TableReconciliation[], options: Options): unknown {
  const row = (mismatch: Mismatch) => ({
    store: mismatch.sink,
    row: nameOf(mismatch, options),
    is: mismatch.kind,
    columns: mismatch.columns,
    version: mismatch.version ? formatVersion(mismatch.version) : null,
  });
  return { tables: found.map((own) => ({ ...own, found: own.found.map(row), left: own.left.map(row) })) };
}

function nameOf({ key }: Mismatch, { keys }: Options): string {
  return keys ? key : keyDigest(key);
}

function columnsOf({ columns }: Mismatch): string {
  return columns.map(({ name, why }) => `${name} (${why})`).join(', ');
}
