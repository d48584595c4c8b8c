import { actionNames, type ColumnRule } from './column-rule.ts';
import { cleanKind } from './dataset.ts';
import { coarsenessOf } from './generalise.ts';
import { typesByKind, type ValueKind } from './value-kind.ts';

/** The actions that can treat a kind of value, whatever their options. */
export function possibleActions(kind: ValueKind): string[] {
  return actionNames.filter((action) =>
    action === 'generalise'
      ? coarsenessOf(kind) !== undefined
      : cleanKind({ action } as ColumnRule, kind) !== undefined,
  );
}

/** Which action treats which of Postgres' types, as a Markdown table. */
export function actionMatrix(): string {
  const rows = [...typesByKind()].map(([kind, types]) => {
    const possible = possibleActions(kind);
    const cells = actionNames.map((action) =>
      possible.includes(action) ? (noteOf(action, kind) ?? '✓') : '',
    );
    return `| ${types.join(', ')} | ${cells.join(' | ')} |`;
  });
  return [
    `| type | ${actionNames.map((action) => `\`${action}\``).join(' | ')} |`,
    `|---|${actionNames.map(() => '---|').join('')}`,
    ...rows,
    `| every other type | ${actionNames.map((action) => (action === 'drop' ? '✓' : '')).join(' | ')} |`,
  ].join('\n');
}

function noteOf(action: string, kind: ValueKind): string | undefined {
  if (action === 'generalise') return coarsenessOf(kind)?.replaceAll(' or ', ', ');
  return action === 'paths' && kind === 'array' ? '`[]`' : undefined;
}
