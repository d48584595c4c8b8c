import type { ActionName, ColumnRule } from '../column-rule.ts';

type Form = 'none' | 'own' | 'pseudonym' | 'ciphertext';

/** What an action makes of the field's type, as far as it can be told without the table. A new action needs its place here. */
const forms: Readonly<Record<ActionName, Form>> = {
  drop: 'none',
  keep: 'own',
  null: 'own',
  mask: 'own',
  truncate: 'own',
  generalise: 'own',
  redact: 'own',
  'format-preserving': 'own',
  paths: 'own',
  hash: 'pseudonym',
  tokenise: 'pseudonym',
  encrypt: 'ciphertext',
};

const words: Readonly<Record<Form, string>> = {
  none: 'no field',
  own: 'that of the source',
  pseudonym: 'text (a pseudonym)',
  ciphertext: 'bytes (ciphertext)',
};

/** A change of the field that breaks who reads it; undefined where there is none. A field that is new breaks nobody. */
export function fieldChange(
  column: string,
  from: ColumnRule | undefined,
  to: ColumnRule | undefined,
): string | undefined {
  const [before, after] = [formOf(from), formOf(to)];
  if (before === after || before === 'none') return undefined;
  if (after === 'none') return `the field ${column} goes away: who reads it must do without`;
  return `the field ${column} changes its type from ${words[before]} to ${words[after]}`;
}

function formOf(rule: ColumnRule | undefined): Form {
  return rule ? forms[rule.action] : 'none';
}
