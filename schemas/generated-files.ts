import { actionMatrix } from './action-matrix.ts';
import { errorDocs } from './error-docs.ts';
import { configEditorSchema, contractEditorSchema, rulesEditorSchema } from './json-schema/editor-schemas.ts';
import { vocabularyTable } from './vocabulary.ts';

/** Files that are made from the code and committed: path from the root, and text. `read` gives the text that a file has now. */
export function generatedFiles(read: (path: string) => string): ReadonlyMap<string, string> {
  return new Map([
    ['schemas/lethe.schema.json', toText(configEditorSchema())],
    ['schemas/contract.schema.json', toText(contractEditorSchema())],
    ['schemas/rules.schema.json', toText(rulesEditorSchema())],
    ['docs/errors.md', errorDocs()],
    [
      'docs/contracts.md',
      withBlock(
        withBlock(read('docs/contracts.md'), 'classifications', vocabularyTable()),
        'actions by type',
        actionMatrix(),
      ),
    ],
  ]);
}

function toText(schema: unknown): string {
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** A page with what stands between its two marks made anew. */
function withBlock(page: string, name: string, block: string): string {
  const start = `<!-- made by scripts/generate.mjs: ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`a page has no marks of ${name}`);
  return `${page.slice(0, from + start.length)}\n\n${block}\n\n${page.slice(to)}`;
}
