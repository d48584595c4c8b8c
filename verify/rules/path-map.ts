import type { PathRule } from '../../schemas/column-rule.ts';
import { type Json, JsonNumber } from '../json.ts';
import { VerifyError } from '../verify-error.ts';

/** A path of a contract, its steps as texts: a key's name after a dot, or `[]`, `*`, `**`. */
export interface RuledPath {
  readonly path: string;
  readonly steps: readonly string[];
  readonly rule: PathRule;
}

/** What stands in place of a value that a path leads to; undefined: it does not pass. */
export type AtLeaf = (value: Json, at: RuledPath) => Json | undefined;

const step = /^(?:(\[\])|\.?(\*\*?)(?![^.[])|\.?("(?:[^"\\]|\\.)*")|\.?([^.[\]"*\s]+))/;

/** The paths of a contract, taken apart. */
export function ruledPaths(paths: Readonly<Record<string, PathRule>>): RuledPath[] {
  return Object.entries(paths).map(([path, rule]) => {
    const steps: string[] = [];
    for (let rest = path; rest !== ''; ) {
      const m = step.exec(rest);
      if (!m) throw new VerifyError('NOT_COVERED', `the path ${path}`);
      const [whole, items, star, quoted, bare] = m;
      steps.push(items ?? star ?? `.${quoted === undefined ? bare! : (JSON.parse(quoted) as string)}`);
      rest = rest.slice(whole.length);
    }
    return { path, steps, rule };
  });
}

/** What passes of a value: by the paths that lead into it, each as far as it still goes. */
export function passedBy(value: Json, paths: readonly RuledPath[], atLeaf: AtLeaf): Json | undefined {
  if (paths.length === 0) return undefined;
  if (paths.some(({ steps }) => steps[0] === '**')) return value;
  const here = paths.find(({ steps }) => steps.length === 0);
  if (value === null) return here?.rule.action === 'drop' ? undefined : null;
  if (here?.rule.action === 'encrypt') return atLeaf(value, here);
  const into = (name: string) =>
    paths.filter(({ steps }) => steps[0] === name).map((p) => ({ ...p, steps: p.steps.slice(1) }));
  if (value instanceof Map) {
    if (!paths.some(({ steps }) => steps[0] === '*' || steps[0]?.startsWith('.'))) return undefined;
    const passed = new Map<string, Json>();
    for (const [key, member] of value) {
      const named = into(`.${key}`);
      const result = passedBy(member, named.length > 0 ? named : into('*'), atLeaf);
      if (result !== undefined) passed.set(key, result);
    }
    return passed;
  }
  if (Array.isArray(value)) {
    const items = into('[]');
    return items.length === 0 ? undefined : value.map((item) => passedBy(item, items, atLeaf) ?? null);
  }
  return here && here.rule.action !== 'drop' ? atLeaf(value, here) : undefined;
}

/** The text by which a single value is treated: a string itself, anything else as JSON writes it. */
export function leafText(value: Json): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber) return value.text;
  return value === true ? 'true' : 'false';
}

/** The same value with what its encrypt paths lead to replaced; all else is left as it stands, also what should not. */
export function replacedAt(value: Json, paths: readonly RuledPath[], open: AtLeaf): Json {
  if (value === null || paths.length === 0) return value;
  const here = paths.find(({ steps, rule }) => steps.length === 0 && rule.action === 'encrypt');
  if (here) return open(value, here) ?? null;
  const into = (name: string) =>
    paths.filter(({ steps }) => steps[0] === name).map((p) => ({ ...p, steps: p.steps.slice(1) }));
  if (Array.isArray(value)) return value.map((item) => replacedAt(item, into('[]'), open));
  if (!(value instanceof Map)) return value;
  return new Map(
    [...value].map(([key, member]) => {
      const named = into(`.${key}`);
      return [key, replacedAt(member, named.length > 0 ? named : into('*'), open)];
    }),
  );
}
