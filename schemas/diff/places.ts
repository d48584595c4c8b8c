import { isDeepStrictEqual } from 'node:util';
import type { ColumnRule } from '../column-rule.ts';
import { parsePath, type PathStep } from '../json-path.ts';
import type { ValueRule } from './readability.ts';

/** A place within a column's value: what becomes of a single value there, and of whatever lies below it that has no place of its own. */
interface Place {
  rule: ValueRule;
  below: ValueRule;
  any?: Place;
  items?: Place;
  readonly keys: Map<string, Place>;
}

/** A place under two contracts. */
export interface ComparedPlace {
  /** As a contract writes it; undefined for the whole value. */
  readonly path: string | undefined;
  /** `rest`: whatever lies at the path or below it and is named by neither contract. */
  readonly what: 'value' | 'rest';
  readonly from: ValueRule;
  readonly to: ValueRule;
}

/**
 * Every place of a column's value that one of two rules tells from others, with what becomes of it under both. A place that both
 * treat alike stands in it too, once; a place of which neither lets anything pass does not.
 */
export function comparePlaces(from: ColumnRule | undefined, to: ColumnRule | undefined): ComparedPlace[] {
  return walk(undefined, placesOf(from), placesOf(to));
}

function placesOf(rule: ColumnRule | undefined): Place {
  if (rule?.action !== 'paths') return { rule, below: rule, keys: new Map() };
  const root: Place = { rule: undefined, below: undefined, keys: new Map() };
  for (const [path, inner] of Object.entries(rule.paths)) {
    const steps = parsePath(path) ?? [];
    const takesAll = steps.at(-1)?.kind === 'rest';
    const place = (takesAll ? steps.slice(0, -1) : steps).reduce(placeAt, root);
    place.rule = inner;
    // What encrypts takes objects and arrays whole; everything else treats single values.
    if (takesAll || inner.action === 'encrypt') place.below = inner;
  }
  return root;
}

function placeAt(place: Place, step: PathStep): Place {
  const empty = (): Place => ({ rule: undefined, below: undefined, keys: new Map() });
  if (step.kind === 'items') return (place.items ??= empty());
  if (step.kind !== 'key') return (place.any ??= empty());
  const next = place.keys.get(step.name) ?? empty();
  place.keys.set(step.name, next);
  return next;
}

/**
 * In step through both trees, so that a key which only one of them names is compared with what the other makes of any key.
 * `around` is what was told of the place that this one lies in: it is not told again.
 */
function walk(path: string | undefined, from: Place, to: Place, around?: ComparedPlace): ComparedPlace[] {
  const value: ComparedPlace = { path, what: 'value', from: from.rule, to: to.rule };
  const rest: ComparedPlace = { path, what: 'rest', from: from.below, to: to.below };
  const parted = [from, to].filter(isParted);
  const told = isAlike(value, rest) ? [parted.length > 0 ? rest : value] : [value, rest];
  const found = told.filter(
    (place) =>
      (place.from !== undefined || place.to !== undefined) &&
      !(around && isAlike(place, around) && isAlike(rest, around)),
  );
  const go = (step: string, at: (place: Place) => Place | undefined): void => {
    found.push(...walk(step, within(from, at), within(to, at), rest));
  };
  for (const name of new Set(parted.flatMap((place) => [...place.keys.keys()]))) {
    go(joined(path, keyText(name)), (place) => place.keys.get(name) ?? place.any);
  }
  if (parted.some((place) => place.any)) go(joined(path, '*'), (place) => place.any);
  if (parted.some((place) => place.items)) go(`${path ?? ''}[]`, (place) => place.items);
  return found;
}

/** Keys below a place that takes everything mean nothing. */
function isParted(place: Place): boolean {
  return !place.below && (place.keys.size > 0 || place.any !== undefined || place.items !== undefined);
}

function isAlike(value: ComparedPlace, rest: ComparedPlace): boolean {
  return isDeepStrictEqual([value.from, value.to], [rest.from, rest.to]);
}

function within(place: Place, at: (place: Place) => Place | undefined): Place {
  const { below } = place;
  return (below ? undefined : at(place)) ?? { rule: below, below, keys: new Map() };
}

function joined(path: string | undefined, step: string): string {
  return path === undefined ? step : `${path}.${step}`;
}

/** A key as a path has it: in JSON's quotes where it holds another character. */
function keyText(name: string): string {
  return /^[^.[\]"*\s]+$/.test(name) ? name : JSON.stringify(name);
}
