import { type ActionAdvice, type Advice, type Asked, edit, restart, run, sql } from './advice.ts';
import { adviseColumn } from './advise-column.ts';
import { adviseKey } from './advise-key.ts';
import { adviseTable } from './advise-table.ts';
import type { TableFacts } from './facts.ts';
import type { DdlAction, DdlStatement } from './statement.ts';

const unknownAdvice: ActionAdvice = {
  outcome: 'unknown',
  says: 'this statement is not known here: nothing is claimed about it',
  steps: [],
};

/** The advice on every action of the statements, from what is known of their tables. */
export function advise(
  statements: readonly DdlStatement[],
  facts: ReadonlyMap<string, TableFacts>,
): Advice[] {
  return statements.flatMap((statement) => {
    const own = statement.table === undefined ? undefined : facts.get(statement.table);
    if (!own) return [{ statement: statement.text, ...unknownAdvice }];
    return together(statement).map(({ actions, text }) => ({
      statement: text,
      table: own.table,
      ...adviseActions(actions, text, own),
    }));
  });
}

/** A primary key that is replaced within one statement is one change. Others are told of one by one. */
function together({ text, actions }: DdlStatement): { actions: DdlAction[]; text: string }[] {
  const kinds = actions.map(({ action }) => action.kind);
  if (kinds.length === 2 && kinds.includes('drop constraint') && kinds.includes('add primary key')) {
    return [{ actions: actions.map(({ action }) => action), text }];
  }
  return actions.map((one) => ({ actions: [one.action], text: one.text }));
}

function adviseActions(actions: readonly DdlAction[], text: string, facts: TableFacts): ActionAdvice {
  const [action] = actions;
  if (!action || action.kind === 'unknown') return unknownAdvice;
  const isKey = ['drop constraint', 'add primary key', 'replica identity'].includes(action.kind);
  if (action.kind === 'rename table') return adviseTable({ action, text, facts });
  if (!facts.own) {
    if (facts.listed) {
      return {
        outcome: 'unfit',
        says: `${facts.table} is in the publication and in no contract: \`lethe apply\` takes it out`,
        steps: [run('lethe apply', 'no contract names the table'), sql(`${text};`, 'nobody minds it then')],
      };
    }
    return {
      outcome: 'safe',
      says: `no contract names ${facts.table}: nothing of it leaves Postgres`,
      steps: [],
    };
  }
  if (!facts.listed) {
    return {
      outcome: 'unknown',
      says: `${facts.table} has a contract and is not in the publication: see \`lethe status\`, and ask again when it is put right`,
      steps: [],
    };
  }
  if (isKey) return adviseKey(actions, text, facts);
  if (action.kind === 'drop table' || action.kind === 'truncate') return adviseTable({ action, text, facts });
  if (action.kind === 'add column') return addedColumn({ action, text, facts });
  return adviseColumn({ action, text, facts } as Asked<'drop column' | 'retype column' | 'rename column'>);
}

function addedColumn({ action: { column }, text, facts }: Asked<'add column'>): ActionAdvice {
  const { file, contract } = facts.own!;
  const halts = contract.unclassified === 'halt';
  const follow = [
    sql(`${text};`, 'the column does not pass, and does not even leave Postgres'),
    edit(
      file,
      `add columns.${column} with its classification and an action`,
      'what no contract names does not pass',
    ),
    run('lethe plan', 'shows the schema, the mapping and the column that are added'),
    run('lethe apply', 'all of them take a new column as they are'),
    restart('the rows are read again: the column is filled for all of them'),
  ];
  return halts
    ? {
        outcome: 'halts',
        says: `${facts.table} is to wait while it has a column that its contract does not name: its changes wait, nothing is lost`,
        steps: follow,
      }
    : {
        outcome: 'safe',
        says: `the column does not pass, and all goes on. If it is to pass, in this order:`,
        steps: follow,
      };
}
