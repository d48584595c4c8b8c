import type { ColumnRule } from '../schemas/column-rule.ts';
import { parsePath } from '../schemas/json-path.ts';
import { malformed } from './avro-reader.ts';
import { unexpected } from './avro-skip.ts';
import type { ActionSources, RowContext } from './column-action.ts';
import { skipJson, skipSpace, skipString, stringOf } from './json-scan.ts';
import { type CompiledPath, compilePathAction } from './path-action.ts';

/** What is known of a place: its own action, and what lies below it. */
interface Place {
  action?: CompiledPath;
  /** Not even a null passes. */
  drops?: true;
  /** `**`: everything below passes as it is. */
  rest?: true;
  any?: Place;
  items?: Place;
  readonly keys: Map<string, Place>;
}

/** The JSON text that is let pass of a JSON text; undefined: nothing of it. */
export type PathMap = (text: string, row: RowContext) => string | undefined;

/**
 * Compiles the paths of a json column. Whatever no path leads to does not pass: a key is left out, an element of an array becomes null
 * so that the others keep their places. `keep` lets single values pass, never an object whose keys nobody has named. null stays null.
 */
export function compilePathMap(sources: ActionSources, rule: ColumnRule & { action: 'paths' }): PathMap {
  const root: Place = { keys: new Map() };
  for (const [path, inner] of Object.entries(rule.paths)) {
    const steps = parsePath(path);
    if (!steps) throw unexpected(`column ${sources.column.name} has a path that is none`);
    let place = root;
    for (const step of steps) {
      if (step.kind === 'rest') place.rest = true;
      else if (step.kind === 'items') place = place.items ??= { keys: new Map() };
      else if (step.kind === 'any') place = place.any ??= { keys: new Map() };
      else {
        const next = place.keys.get(step.name) ?? { keys: new Map() };
        place.keys.set(step.name, next);
        place = next;
      }
    }
    if (inner.action === 'drop') place.drops = true;
    else if (!place.rest) place.action = compilePathAction(sources, path, inner);
  }
  return (text, row) => {
    const walk = new Walk(text, row);
    const passed = walk.value(root);
    if (skipSpace(text, walk.at) !== text.length) throw malformed();
    return passed;
  };
}

/** One pass over one text. It goes no deeper than the paths do. */
class Walk {
  at = 0;
  private readonly text: string;
  private readonly row: RowContext;

  constructor(text: string, row: RowContext) {
    this.text = text;
    this.row = row;
  }

  /** What passes of the value that comes next, which is passed over in any case. */
  value(place: Place | undefined): string | undefined {
    const from = (this.at = skipSpace(this.text, this.at));
    const first = this.text[from];
    const isContainer = first === '{' || first === '[';
    if (place && !place.rest && !place.action?.takesContainers) {
      if (first === '{' && (place.keys.size > 0 || place.any)) return this.object(place);
      if (first === '[' && place.items) return this.array(place.items);
    }
    this.at = skipJson(this.text, from);
    if (!place) return undefined;
    const token = this.text.slice(from, this.at);
    if (place.rest) return token;
    if (token === 'null') return place.drops ? undefined : token;
    if (!place.action || (isContainer && !place.action.takesContainers)) return undefined;
    return place.action.act(token, this.row);
  }

  private object(place: Place): string {
    const passed: string[] = [];
    this.members('}', () => {
      const from = this.at;
      this.at = skipString(this.text, from);
      const key = this.text.slice(from, this.at);
      this.take(':');
      const value = this.value(place.keys.get(stringOf(key)) ?? place.any);
      if (value !== undefined) passed.push(`${key}:${value}`);
    });
    return `{${passed.join(',')}}`;
  }

  private array(items: Place): string {
    const passed: string[] = [];
    this.members(']', () => passed.push(this.value(items) ?? 'null'));
    return `[${passed.join(',')}]`;
  }

  /** Goes over what stands between the brackets, parted by commas. */
  private members(close: '}' | ']', each: () => void): void {
    this.at = skipSpace(this.text, this.at + 1);
    if (this.text[this.at] === close) {
      this.at++;
      return;
    }
    for (;;) {
      this.at = skipSpace(this.text, this.at);
      each();
      this.at = skipSpace(this.text, this.at);
      if (this.text[this.at] === close) break;
      this.take(',');
    }
    this.at++;
  }

  private take(mark: ':' | ','): void {
    this.at = skipSpace(this.text, this.at);
    if (this.text[this.at] !== mark) throw malformed();
    this.at++;
  }
}
