import type { Advice, MigrationStep, Outcome } from '../connectors/ddl/advice.ts';
import type { Tried } from '../connectors/ddl/try-statement.ts';
import { renderTable, type Style } from './table.ts';

const styles: Readonly<Record<Outcome, Style>> = {
  safe: 'green',
  refused: 'yellow',
  halts: 'yellow',
  unfit: 'yellow',
  unknown: 'yellow',
  lost: 'red',
  breaks: 'red',
};

const heads: Readonly<Record<MigrationStep['kind'], string>> = {
  sql: 'at the source',
  edit: 'contract',
  run: 'command',
  restart: 'processors',
  wait: 'processors',
  other: 'by hand',
};

/** Each statement with what becomes of it, and the steps in their order, for people. */
export function renderAdvice(advice: readonly Advice[], tried: readonly Tried[]): string {
  const parts = advice.map(({ statement, outcome, says, steps }) => {
    const said = renderTable(
      ['statement', 'outcome', 'as it stands'],
      [[statement, { text: outcome, style: styles[outcome] }, says]],
    );
    if (steps.length === 0) return said;
    const rows = steps.map((step, i) => [String(i + 1), heads[step.kind], step.text, step.why]);
    return `${said}\n${renderTable(['step', 'where', 'do', 'because'], rows)}`;
  });
  if (tried.length > 0) {
    const rows = tried.map((one) => [one.statement, answer(one.sqlstate)]);
    parts.push(renderTable(['tried, and rolled back', 'Postgres says'], rows));
  }
  return parts.join('\n');
}

function answer(sqlstate: string): string {
  if (sqlstate === '00000') return 'takes it';
  if (sqlstate === '55P03' || sqlstate === '57014') return `not to be had in time (${sqlstate})`;
  return `refuses it (${sqlstate})`;
}
