import { posix } from 'node:path';

export interface Import {
  readonly specifier: string;
  /** `import type` and `export type` are gone at run time; `{ type A }` leaves an import behind. */
  readonly typeOnly: boolean;
}

/**
 * Who may import whom, by top-level folder; a room may always import itself. Rooms that wire the others together
 * import across, but nobody's product depends on what is only there to test or measure it.
 */
const rules: Readonly<Record<string, readonly string[] | 'across'>> = {
  schemas: [],
  stack: [],
  pipeline: ['schemas'],
  keys: ['schemas', 'pipeline'],
  connectors: ['schemas', 'pipeline'],
  transforms: ['schemas', 'pipeline'],
  sinks: ['schemas', 'pipeline'],
  erasure: ['schemas', 'pipeline', 'keys'],
  verify: ['schemas'],
  repair: ['schemas', 'pipeline', 'verify'],
  client: [],
  console: 'across',
  cli: 'across',
  examples: 'across',
  bench: 'across',
  test: 'across',
};

const onlyForTests: ReadonlySet<string> = new Set(['bench', 'test']);

/**
 * What the oracle must work out for itself: with the product's own derivations it would repeat the product's own
 * mistakes. Their types may be shared.
 */
const notForTheOracle: ReadonlySet<string> = new Set([
  'schemas/clean-schema.ts',
  'schemas/dataset.ts',
  'schemas/key-use.ts',
  'schemas/length-prefixed.ts',
  'schemas/record-key.ts',
  'schemas/subject-keys.ts',
  'schemas/value-kind.ts',
  'schemas/version.ts',
]);

/** What is wrong with the imports of a file, one sentence each; `path` from the root, with slashes. */
export function forbiddenImports(path: string, source: string): string[] {
  const room = roomOf(path);
  if (room === undefined) return [];
  const rule = rules[room];
  if (rule === undefined) return [`${path}: the room ${room} has no rule; say who it may import`];
  return importsOf(source).flatMap(({ specifier, typeOnly }) => {
    if (!specifier.startsWith('.')) return [];
    const target = posix.join(posix.dirname(path), specifier);
    const other = roomOf(target);
    if (other === room || other === undefined) return [];
    if (rule === 'across' ? onlyForTests.has(other) && !onlyForTests.has(room) : !rule.includes(other)) {
      return [`${path}: ${room} must not import ${other} (${specifier})`];
    }
    if (room === 'verify' && !typeOnly && notForTheOracle.has(target)) {
      return [`${path}: verify must work out by itself what ${target} says`];
    }
    return [];
  });
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[\w$*{][^'";]*?\bfrom\s*)?['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g;

/** The modules that a source imports. */
export function importsOf(source: string): Import[] {
  return [
    ...[...source.matchAll(statement)].map((m) => ({ specifier: m[2]!, typeOnly: m[1] !== undefined })),
    ...[...source.matchAll(dynamic)].map((m) => ({ specifier: m[1]!, typeOnly: false })),
  ];
}

/** The top-level folder; undefined for a file of the root itself. */
function roomOf(path: string): string | undefined {
  const slash = path.indexOf('/');
  return slash < 0 ? undefined : path.slice(0, slash);
}
