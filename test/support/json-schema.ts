import { createRequire } from 'node:module';
import type Ajv2019 from 'ajv/dist/2019.js';

// CommonJS whose default export every loader finds elsewhere.
const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2019.js') as typeof Ajv2019;
// Standards have keywords and formats that a strict reader does not know; the dialect is taken to be that of 2019.
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

const dialect = 'https://json-schema.org/draft/2019-09/schema';
const validators = new WeakMap<object, ReturnType<typeof ajv.compile>>();

function compiled(schema: object): ReturnType<typeof ajv.compile> {
  const validate = validators.get(schema) ?? ajv.compile({ ...schema, $schema: dialect });
  validators.set(schema, validate);
  return validate;
}

/** What a JSON Schema has against a document; empty if it is valid. */
export function jsonSchemaViolations(schema: object, document: unknown): string[] {
  const validate = compiled(schema);
  // A document that was parsed from text has no undefined.
  if (validate(JSON.parse(JSON.stringify(document)))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
