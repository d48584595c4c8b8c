import { z } from 'zod';
import { configShape } from '../config.ts';
import { contractShape } from '../contract.ts';
import { houseRulesShape } from '../house-rules/rules-shape.ts';
import { configDescriptions, contractDescriptions, rulesDescriptions } from './descriptions.ts';

type Node = { [key: string]: unknown };

/** The JSON Schema of lethe.yaml, for editors. */
export function configEditorSchema(): Node {
  const schema = toSchema(configShape, 'lethe.yaml');
  visit(schema, allowReference);
  describe(schema, configDescriptions);
  return schema;
}

/** The JSON Schema of a contract, for editors. */
export function contractEditorSchema(): Node {
  const schema = toSchema(contractShape, 'A contract of Lethe');
  visit(schema, allowNullWord);
  visit(schema, allowDefaultAction);
  describe(schema, contractDescriptions);
  return schema;
}

/** The JSON Schema of the house rules, for editors. */
export function rulesEditorSchema(): Node {
  const schema = toSchema(houseRulesShape, 'House rules of Lethe');
  visit(schema, allowNullWord);
  describe(schema, rulesDescriptions);
  return schema;
}

function toSchema(shape: z.ZodType, title: string): Node {
  const schema = z.toJSONSchema(shape, { io: 'input' }) as Node;
  return { $schema: schema['$schema'], title, ...schema };
}

const reference = String.raw`\$\{(env|file):`;

/** A text with a form may also come from the environment or a file. */
function allowReference(node: Node): void {
  if (node['type'] !== 'string' || (node['pattern'] === undefined && node['format'] === undefined)) return;
  const { type, format, pattern, ...rest } = node;
  const form = { ...(format === undefined ? {} : { format }), ...(pattern === undefined ? {} : { pattern }) };
  for (const key of Object.keys(node)) delete node[key];
  Object.assign(node, rest, { type, anyOf: [form, { pattern: reference }] });
}

/** YAML reads the word null as null; the action of that name is meant. */
function allowNullWord(node: Node): void {
  const words = node['enum'] ?? [node['const']];
  if (!Array.isArray(words) || !words.includes('null')) return;
  delete node['const'];
  delete node['type'];
  node['enum'] = [...words, null];
}

/** A column may leave its action to the house rules, and then give any option of it. */
function allowDefaultAction(node: Node): void {
  const rules = node['oneOf'] as { properties?: Node }[] | undefined;
  const classification = rules?.[0]?.properties?.['classification'];
  if (!rules || !isNode(classification)) return;
  const leftToDefault: Node = {
    type: 'object',
    properties: { classification: { ...classification } },
    required: ['classification'],
    not: { required: ['action'] },
  };
  rules.push(leftToDefault);
}

function visit(value: unknown, change: (node: Node) => void): void {
  if (!isNode(value)) return;
  for (const child of Object.values(value)) visit(child, change);
  if (!Array.isArray(value)) change(value);
}

function describe(schema: Node, descriptions: Readonly<Record<string, string>>): void {
  for (const [path, description] of Object.entries(descriptions)) {
    const nodes = path
      .split('.')
      .reduce((found, part) => found.flatMap((node) => children(node, part)), [schema]);
    if (nodes.length === 0) throw new Error(`a description of ${path}, which is no key`);
    for (const node of nodes) node['description'] = description;
  }
}

function children(node: Node, part: string): Node[] {
  const branches = [node, ...((node['anyOf'] ?? node['oneOf'] ?? []) as Node[])];
  return branches.flatMap((branch) => {
    const child =
      part === '*'
        ? branch['additionalProperties']
        : part === '[]'
          ? branch['items']
          : (branch['properties'] as Node | undefined)?.[part];
    return isNode(child) ? [child] : [];
  });
}

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === 'object';
}
