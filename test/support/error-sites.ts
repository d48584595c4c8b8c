import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { projectRoot, trackedFiles } from './project-tree.ts';

/** A line of the product at which an error with words of its own is made, as `file:line`. */
export interface ErrorSite {
  readonly file: string;
  readonly place: string;
  /** The source text there, for a person to find it by. */
  readonly text: string;
}

const rooms = /^(?:schemas\/registry|(?:transforms|sinks|pipeline|keys|connectors|erasure)\/.*)\.ts$/;
/** `malformed()` has no words but its own. */
const making = /\bnew LetheError\(|(?<!function )\b(?:unexpected|unrepresentable)\(/;

/** Every such line in the rooms of engine, sinks, processors, keys, connectors and erasure, and in the registry's client. */
export function errorSites(): ErrorSite[] {
  return trackedFiles()
    .filter((file) => rooms.test(file))
    .flatMap((file) =>
      readFileSync(join(projectRoot, file), 'utf8')
        .split('\n')
        .flatMap((text, i) => (making.test(text) ? [{ file, place: `${file}:${i + 1}`, text }] : [])),
    );
}

/** The places of the product that an error's stack goes through. */
export function placesOf(error: Error): string[] {
  return [...(error.stack ?? '').matchAll(/([\w-]+(?:\/[\w.-]+)+\.ts):(\d+):\d+/g)].map((found) => {
    const path = `/${found[1]!}`;
    return `${path.startsWith(projectRoot) ? path.slice(projectRoot.length + 1) : found[1]!}:${found[2]!}`;
  });
}

/** All that any logger could print of a value: nested, hidden, causes, and however long. */
export function everythingOf(value: unknown): string {
  const seen = inspect(value, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null });
  return value instanceof Error
    ? `${seen}\n${value.message}\n${value.stack}\n${JSON.stringify(value)}`
    : seen;
}

/** Files whose errors need a real server: the stack test of the same name provokes each of their places. */
export const provokedByServers: ReadonlySet<string> = new Set([
  'connectors/postgres/publication.ts',
  'connectors/postgres/source-gate.ts',
  'connectors/postgres/value-reader.ts',
  'connectors/suggest/suggest-contracts.ts',
  'keys/postgres-key-store.ts',
  'keys/reserve-encryptions.ts',
  'keys/resources.ts',
  'keys/rotate-key.ts',
  'pipeline/sink-processor.ts',
  'pipeline/truncation.ts',
  'sinks/clickhouse/copy.ts',
  'sinks/elasticsearch/copy.ts',
]);

/** Codes that only those files give. */
export const codesByServers: ReadonlySet<string> = new Set(['TABLE_HALTED']);
