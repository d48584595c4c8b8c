import { parseNames } from './sql.ts';
import type { TableDefinition } from './table-definition.ts';
import type { TableState } from './table-state.ts';

/** What of a table is not as the definition asks and cannot be changed in place, a sentence each. */
export function misfits(state: TableState, definition: TableDefinition): string[] {
  const name = `${definition.database}.${definition.table}`;
  return [...changedShape(state, definition, name), ...changedColumns(state, definition, name)];
}

/** Replicated and shared engines name the same two columns last. */
function changedShape(state: TableState, definition: TableDefinition, name: string): string[] {
  const found: string[] = [];
  const versioned = /ReplacingMergeTree\((?:'[^']*', '[^']*', )?_lethe_version, _lethe_deleted\)/;
  if (!versioned.test(state.engineFull))
    found.push(`${name} is no ReplacingMergeTree of version and deletion`);
  if (state.partitionKey !== '') {
    found.push(`${name} has partitions, and rows replace each other only within one`);
  }
  const key = parseNames(state.sortingKey);
  if (key.join('\n') !== definition.sortingKey.join('\n')) {
    found.push(`${name} is ordered by ${key.join(', ')}, the key is ${definition.sortingKey.join(', ')}`);
  }
  return found;
}

function changedColumns(state: TableState, definition: TableDefinition, name: string): string[] {
  const wanted = new Map(definition.columns.map((column) => [column.name, column.sql]));
  return [...state.columns].flatMap(([column, type]) => {
    const sql = wanted.get(column);
    if (sql === undefined) return [`column ${column} of ${name} is no longer in the contract`];
    return sql === type ? [] : [`column ${column} of ${name} is ${type}, the contract asks for ${sql}`];
  });
}
