import type { PathRule } from '../schemas/column-rule.ts';
import { unexpected } from './avro-skip.ts';
import type { ActionSources, RowContext } from './column-action.ts';
import { bandedText, coarseDate } from './generalise.ts';
import { stringOf } from './json-scan.ts';
import { encryptUse, placeOf } from './protection.ts';
import { compileTextAction } from './text-action.ts';

/** Writes the JSON text that stands in place of a value that is not null; undefined: the value does not pass. */
export type PathAction = (token: string, row: RowContext) => string | undefined;

/** The action at one path, and whether it takes objects and arrays whole. */
export interface CompiledPath {
  readonly act: PathAction;
  readonly takesContainers: boolean;
}

/** Compiles the action of a path. What it cannot treat does not pass: a JSON value's type is known only when it is there. */
export function compilePathAction(sources: ActionSources, path: string, rule: PathRule): CompiledPath {
  return { act: compileAct(sources, path, rule), takesContainers: rule.action === 'encrypt' };
}

function compileAct(sources: ActionSources, path: string, rule: PathRule): PathAction {
  const { table, column } = sources;
  switch (rule.action) {
    case 'keep':
      return (token) => token;
    case 'null':
      return () => 'null';
    case 'encrypt':
      return compileSealed(sources, rule, placeOf(column.name, path));
    default: {
      if (rule.action === 'generalise' && rule.to !== 'network') {
        const { to } = rule;
        return typeof to === 'number'
          ? (token) => (isNumber(token) ? bandedText(token, to) : undefined)
          : (token) => quoted(isString(token) ? coarseDate(stringOf(token), to) : undefined);
      }
      const act = compileTextAction({ table, column, rule, path }, sources);
      if (!act) throw unexpected(`column ${column.name} cannot be treated by ${rule.action}`);
      // Numbers and booleans by their JSON text; one in which there is nothing to redact stays what it is.
      return (token, row) => {
        if (isString(token)) return quoted(act(stringOf(token), row));
        const text = act(token, row);
        return rule.action === 'redact' && text === token ? token : quoted(text);
      };
    }
  }
}

/** base64 of a ciphertext over the value's JSON text. */
function compileSealed(
  { table, column, hasSubject, cipher }: ActionSources,
  rule: PathRule,
  name: string,
): PathAction {
  if (!hasSubject) throw unexpected(`${name} has no subject`);
  const use = encryptUse(table, column.rule, rule);
  const place = cipher.associatedData(table, name);
  return (token, row) => {
    if (!row.dataKey) throw unexpected(`${name} has no data key`);
    const plain = Buffer.from(token);
    const out = Buffer.allocUnsafe(plain.length + cipher.overhead);
    cipher.encryptInto(out, 0, row.dataKey, use, place, plain);
    return `"${out.toString('base64')}"`;
  };
}

function isString(token: string): boolean {
  return token.startsWith('"');
}

function isNumber(token: string): boolean {
  return /^[-\d]/.test(token);
}

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}
