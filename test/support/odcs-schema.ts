import { jsonSchemaViolations } from './json-schema.ts';
import { projectText } from './project-tree.ts';

const schema = JSON.parse(projectText('test/fixtures/odcs/odcs-json-schema-v3.1.0.json')) as object;

/** What the standard's own JSON Schema (v3.1.0) has against a document; empty if it is valid. */
export function odcsViolations(document: unknown): string[] {
  return jsonSchemaViolations(schema, document);
}
