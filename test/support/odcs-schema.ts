import { createRequire } from 'node:module';
import type Ajv2019 from 'ajv/dist/2019.js';
import { projectText } from './project-tree.ts';

// CommonJS whose default export every loader finds elsewhere.
const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2019.js') as typeof Ajv2019;
const schema = JSON.parse(projectText('test/fixtures/odcs/odcs-json-schema-v3.1.0.json')) as object;
// The standard's own schema has keywords and formats that a strict reader does not know.
const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);

/** What the standard's own JSON Schema (v3.1.0) has against a document; empty if it is valid. */
export function odcsViolations(document: unknown): string[] {
  // A document that was parsed from text has no undefined.
  if (validate(JSON.parse(JSON.stringify(document)))) return [];
  return (validate.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message}`);
}
