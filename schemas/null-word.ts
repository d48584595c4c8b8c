import type { FieldPath, SourceDocument } from './source-document.ts';

/**
 * The document's value with the text `null` where the word stands at a place for a word. YAML reads it as its null;
 * whoever writes the word means the action of that name, or what becomes of a row at the source. Where nothing is written, nothing is meant.
 */
export function withNullWords(document: SourceDocument, isPlace: (path: FieldPath) => boolean): unknown {
  const replace = (value: unknown, path: FieldPath): unknown => {
    if (value === null) return isPlace(path) && document.textAt(path) === 'null' ? 'null' : null;
    if (Array.isArray(value)) return value.map((item, index) => replace(item, [...path, index]));
    if (typeof value !== 'object') return value;
    const entries = Object.entries(value).map(([key, item]) => [key, replace(item, [...path, key])] as const);
    return Object.fromEntries(entries);
  };
  return replace(document.value, []);
}
