import { type ActionAdvice, sql } from './advice.ts';
import { movedAway } from './advise-column.ts';
import type { TableFacts } from './facts.ts';
import type { DdlAction } from './statement.ts';

/** Of a primary key or a replica identity that changes, in a table that has a contract and is in the publication. */
export function adviseKey(actions: readonly DdlAction[], text: string, facts: TableFacts): ActionAdvice {
  const { table, key, listed, keyConstraint } = facts;
  const identity = actions.find((action) => action.kind === 'replica identity');
  if (identity) {
    if (identity.isDefault) return { outcome: 'safe', says: 'it is so already', steps: [] };
    const says = `the application's UPDATE and DELETE on ${table} fail (42P10), or come without the primary key: the publication lists columns`;
    const back = sql(
      `ALTER TABLE ${table} REPLICA IDENTITY DEFAULT;`,
      'leave it as it is: a column list takes no other',
    );
    return { outcome: 'breaks', sqlstate: '42P10', says, steps: [back] };
  }
  const dropped = actions.find((action) => action.kind === 'drop constraint');
  const added = actions.find((action) => action.kind === 'add primary key');
  if (dropped && dropped.name !== keyConstraint) {
    if (added) return { outcome: 'unknown', says: `${table} has no primary key of this name`, steps: [] };
    return { outcome: 'safe', says: `it is not the primary key of ${table}`, steps: [] };
  }
  if (!dropped)
    return {
      outcome: 'refused',
      sqlstate: '42P16',
      says: `Postgres refuses it (42P16): ${table} has a primary key`,
      steps: [],
    };
  if (!added) {
    const says = `the application's UPDATE and DELETE on ${table} fail from then on (55000): it has nothing to name rows by`;
    const again = `ALTER TABLE ${table} DROP CONSTRAINT ${dropped.name}, ADD PRIMARY KEY (${key.join(', ')});`;
    const together = sql(
      again,
      'drop the key and add the new one within one statement; with other columns, ask again about that',
    );
    return { outcome: 'breaks', sqlstate: '55000', says, steps: [together] };
  }
  const isSame = added.columns.length === key.length && added.columns.every((column, i) => column === key[i]);
  if (isSame) return { outcome: 'safe', says: 'the key has the same columns, and is never away', steps: [] };
  const steps = movedAway(facts, text);
  if (added.columns.every((column) => listed!.includes(column))) {
    const says = `the application goes on; the records get other keys, which nothing replaces: \`lethe apply\` refuses that, and the table waits`;
    return { outcome: 'lost', says, steps };
  }
  const says = `the application's UPDATE and DELETE on ${table} fail from then on (42P10): the publication does not list the new key`;
  return { outcome: 'breaks', sqlstate: '42P10', says, steps };
}
