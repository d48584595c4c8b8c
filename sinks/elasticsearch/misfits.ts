import { isDeepStrictEqual } from 'node:util';
import type { IndexDefinition } from './index-definition.ts';
import type { IndexState } from './index-state.ts';

/** What of an index is not as the definition asks and cannot be changed in place, a sentence each. */
export function misfits(index: IndexState, definition: IndexDefinition): string[] {
  return [...strayRoot(index), ...changedFields(index, definition)];
}

function strayRoot(index: IndexState): string[] {
  const strays = Object.keys(index.mappings).filter(
    (key) => !['dynamic', '_meta', 'properties'].includes(key),
  );
  const found = strays.map((key) => `mapping of ${index.name} has ${key} set by hand`);
  if (index.mappings.dynamic !== 'strict') found.push(`mapping of ${index.name} is not dynamic: strict`);
  return found;
}

function changedFields(index: IndexState, definition: IndexDefinition): string[] {
  return Object.entries(index.mappings.properties ?? {}).flatMap(([name, actual]) => {
    const wanted = definition.properties[name];
    if (!wanted) return [`field ${name} of ${index.name} is no longer in the contract`];
    if (isDeepStrictEqual(actual, wanted)) return [];
    return [`field ${name} of ${index.name} is ${typeOf(actual)}, the contract asks for ${typeOf(wanted)}`];
  });
}

/** The type in a word, and with its options where two fields of one type differ. */
export function typeOf(field: unknown): string {
  return JSON.stringify(field).replaceAll('"', '');
}
