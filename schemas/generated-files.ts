import { errorDocs } from './error-docs.ts';
import { configEditorSchema, contractEditorSchema } from './json-schema/editor-schemas.ts';

/** Files that are made from the code and committed: path from the root, and text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['schemas/lethe.schema.json', toText(configEditorSchema())],
    ['schemas/contract.schema.json', toText(contractEditorSchema())],
    ['docs/errors.md', errorDocs()],
  ]);
}

function toText(schema: unknown): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}
