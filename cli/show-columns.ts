import { type ColumnOutcome, columnOutcomes } from '../schemas/column-outcome.ts';
import type { Dataset } from '../schemas/dataset.ts';
import { renderTable, type Style } from './table.ts';

const said: Readonly<Record<ColumnOutcome['forgotten'], readonly [string, Style]>> = {
  key: ['with the key', 'green'],
  deletion: ['by deletion only', 'yellow'],
  nothing: ['nothing of it is there', 'green'],
};

/** What becomes of each column, for people. */
export function renderColumns(datasets: readonly Dataset[]): string {
  const rows = datasets
    .flatMap(columnOutcomes)
    .map(({ table, column, action, forgotten, shared, searches }) => {
      const [text, style] = said[forgotten];
      return [table, column, action, { text: shared ? `${text}: ${shared}` : text, style }, searches];
    });
  return renderTable(['table', 'column', 'action', 'forgotten', 'can still be searched'], rows);
}
