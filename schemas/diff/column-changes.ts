import { isDeepStrictEqual } from 'node:util';
import type { ColumnRule } from '../column-rule.ts';
import type { Change, ChangeSeverity } from './change.ts';
import { classificationChange } from './classification.ts';
import { fieldChange } from './field-form.ts';
import { type ComparedPlace, comparePlaces } from './places.ts';
import { compareReadability, type ValueRule } from './readability.ts';
import { ruleText } from './rule-text.ts';
import { readabilitySentence } from './sentences.ts';

/** A column of a table, as sentences call it. */
export interface ColumnPlace {
  readonly table: string;
  readonly column: string;
  /** Who reads what comes out, for example `consumers of clean.public.customers`. */
  readonly readers: string;
}

/**
 * What differs between two rules of a column; undefined where the contract does not name it. Rules that differ in anything but a
 * domain or the stores that get the column, which are told by themselves, give one change at least.
 */
export function columnChanges(
  at: ColumnPlace,
  from: ColumnRule | undefined,
  to: ColumnRule | undefined,
): Change[] {
  if (isDeepStrictEqual(from, to)) return [];
  const wholes = { from: from ? ruleText(from) : null, to: to ? ruleText(to) : null };
  const changes = comparePlaces(from, to).flatMap((place) => placeChanges(at, place, from === undefined));
  const add = (severity: ChangeSeverity, sentence: string): void => {
    changes.push({ table: at.table, column: at.column, severity, ...wholes, sentence });
  };
  if (from && to) {
    for (const { severity, sentence, ...rest } of classificationChange(at.column, from, to)) {
      changes.push({ table: at.table, column: at.column, severity, ...rest, sentence });
    }
  }
  const field = fieldChange(at.column, from, to);
  if (field !== undefined) add('changes', field);
  if (changes.length === 0 && !differElsewhere(from, to)) add('changes', otherChange(at.column, wholes));
  return changes;
}

/** What a person needs to be told though nobody learns more or less. */
function otherChange(column: string, { from, to }: { from: string | null; to: string | null }): string {
  if (from === null) return `${column} is now named: ${to}, and as before nothing of it passes`;
  if (to === null) return `${column} is no longer named, and as before nothing of it passes`;
  return from === to ? `${column}: options of ${from} change` : `${column} becomes ${to} (was ${from})`;
}

function placeChanges(at: ColumnPlace, place: ComparedPlace, isNew: boolean): Change[] {
  const comparison = compareReadability(place.from, place.to);
  const from = place.from ? ruleText(place.from) : null;
  const to = place.to ? ruleText(place.to) : null;
  const name = placeName(at.column, place);
  const change = (severity: ChangeSeverity, sentence: string): Change => ({
    table: at.table,
    column: at.column,
    ...(place.path === undefined ? {} : { path: place.path }),
    severity,
    from,
    to,
    sentence,
  });
  if (comparison === 'same') {
    // Options of a place within a value have no other place to be told.
    return place.path === undefined || from === to || differElsewhere(place.from, place.to)
      ? []
      : [change('changes', `${name} becomes ${to ?? 'unnamed'} (was ${from ?? 'unnamed'})`)];
  }
  const sentence = readabilitySentence(name, place, comparison, { readers: at.readers, isNew });
  return [change(comparison === 'less' ? 'protects' : 'exposes', sentence)];
}

/** In nothing but a domain and the stores, which are told by themselves. */
function differElsewhere(from: ValueRule | ColumnRule, to: ValueRule | ColumnRule): boolean {
  const elsewhere = { domain: undefined, sinks: undefined, searchable: undefined };
  return isDeepStrictEqual({ ...from, ...elsewhere }, { ...to, ...elsewhere });
}

function placeName(column: string, { path, what }: ComparedPlace): string {
  if (path === undefined) return what === 'value' ? column : `${column}: whatever no path names`;
  return what === 'value' ? `${column}: ${path}` : `${column}: whatever else lies in ${path}`;
}
