import { z } from 'zod';
import type { FieldPath } from './source-document.ts';

/** The part of JSON Schema that our shapes are made of. */
export interface JsonShape {
  readonly type?: string;
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonShape>>;
  readonly additionalProperties?: JsonShape | boolean;
  readonly items?: JsonShape;
  readonly anyOf?: readonly JsonShape[];
  readonly oneOf?: readonly JsonShape[];
}

/** The shape as it stands in a file: before defaults. */
export function describeShape(shape: z.ZodType): JsonShape {
  return z.toJSONSchema(shape, { io: 'input' }) as JsonShape;
}

/** Keys that the map at this path takes; of a union's branches those whose constants the value bears. */
export function keysAt(root: JsonShape, path: FieldPath, value: unknown): string[] {
  let nodes = branches(root, value);
  let here = value;
  for (const part of path) {
    here = here !== null && typeof here === 'object' ? (here as Record<string, unknown>)[part] : undefined;
    nodes = nodes.flatMap((node) => {
      const child = childOf(node, part);
      return child ? branches(child, here) : [];
    });
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function childOf(node: JsonShape, part: string | number): JsonShape | undefined {
  if (typeof part === 'number') return node.items;
  const rest = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  return node.properties?.[part] ?? rest;
}

function branches(node: JsonShape, value: unknown): JsonShape[] {
  const options = node.anyOf ?? node.oneOf;
  if (!options) return [node];
  return options
    .flatMap((option) => branches(option, value))
    .filter((option) => bearsConstants(option, value));
}

function bearsConstants(node: JsonShape, value: unknown): boolean {
  if (value === null || typeof value !== 'object') return true;
  return Object.entries(node.properties ?? {}).every(
    ([key, property]) =>
      property.const === undefined || (value as Record<string, unknown>)[key] === property.const,
  );
}
