import type { ValueKind } from '../../schemas/value-kind.ts';
import type { CatalogColumn } from '../postgres/catalog.ts';
import { classifyName, isBookkeeping } from './classify-name.ts';
import { areLabels, commonLook, type Evidence, gravestLook } from './classify-values.ts';
import type { Guess, Verdict } from './guess.ts';
import { counterWords } from './name-words.ts';
import { nameTokens } from './name-tokens.ts';

/** What kinds of values have in common here. */
type Family = 'text' | 'number' | 'flag' | 'day' | 'clock' | 'opaque';

const families: Readonly<Record<ValueKind, Family>> = {
  boolean: 'flag',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  text: 'text',
  uuid: 'opaque',
  inet: 'opaque',
  date: 'day',
  time: 'clock',
  timestamp: 'day',
  timestamptz: 'day',
  json: 'opaque',
  bytes: 'opaque',
  array: 'opaque',
  composite: 'opaque',
  list: 'opaque',
};

/** What a value of a family can be: the time at which an e-mail was verified is no e-mail. */
const possible: Readonly<Record<Family, (guess: Guess) => boolean>> = {
  text: () => true,
  opaque: () => true,
  number: (guess) => guess !== 'content.free-text' && guess !== 'person.name' && guess !== 'unknown',
  flag: (guess) => guess === 'person.health',
  day: (guess) => guess === 'person.birth' || guess === 'person.health' || guess === 'payment.card',
  clock: () => false,
};

const networkTypes: ReadonlySet<string> = new Set(['inet', 'cidr', 'macaddr', 'macaddr8']);
const clockTypes: ReadonlySet<string> = new Set(['interval', 'timetz']);

/** The guess at a column that is no identity; `ofPeople`: the table's rows are persons' or belong to them. */
export function judgeColumn(
  column: CatalogColumn,
  kind: ValueKind,
  evidence: Evidence,
  ofPeople: boolean,
): Verdict {
  const family = familyOf(column, kind);
  const named = namedGuess(column.name, family, ofPeople);
  const strict = gravestLook(evidence);
  const common = commonLook(evidence);
  const isOpen = named === undefined || named.guess === 'unknown' || named.guess === 'content.free-text';
  // A phone number may happen to pass the check of a card; where the name says nothing, one is enough.
  if (strict && (isOpen || strict.count * 2 >= evidence.sampled)) return both(strict, named);
  if (named && named.guess !== 'unknown') return both(named, common);
  // Of a document with an identifier in it, that is the least.
  if (common && !(family === 'opaque' && common.guess === 'person.id')) return both(common, named);
  if (networkTypes.has(column.typeName)) {
    return { guess: 'network.address', reason: `its type ${column.typeName} is a network address` };
  }
  if (named) return named;
  return byFamily(column, family, evidence, ofPeople);
}

function familyOf(column: CatalogColumn, kind: ValueKind): Family {
  if (clockTypes.has(column.typeName)) return 'clock';
  return kind === 'array' && column.typeName.startsWith('_int') ? 'number' : families[kind];
}

function namedGuess(name: string, family: Family, ofPeople: boolean): Verdict | undefined {
  const named = classifyName(name, ofPeople);
  if (!named || !possible[family](named.guess)) return undefined;
  const isCounter = family === 'number' && nameTokens(name).some((token) => counterWords.has(token));
  return isCounter ? undefined : named;
}

/** The first decides, the other is said too. */
function both(first: Verdict, other: Verdict | undefined): Verdict {
  return other ? { guess: first.guess, reason: `${first.reason}; ${other.reason}` } : first;
}

function byFamily(column: CatalogColumn, family: Family, evidence: Evidence, ofPeople: boolean): Verdict {
  switch (family) {
    case 'number':
      return { guess: 'internal', reason: 'a number; neither its name nor the sampled values look personal' };
    case 'flag':
      return { guess: 'internal', reason: 'true or false, and its name says nothing personal' };
    case 'day':
      return judgeDay(column, evidence, ofPeople);
    case 'clock':
      return ofPeople
        ? { guess: 'moment', reason: 'a time, perhaps of something that a person did' }
        : { guess: 'internal', reason: 'a time, in a table that refers to no person' };
    case 'text':
      return judgeText(column, evidence);
    case 'opaque':
      return column.typeName === 'uuid'
        ? { guess: 'person.id', reason: 'an identifier, perhaps of a person' }
        : { guess: 'unknown', reason: `${column.typeText} may hold anything` };
  }
}

function judgeDay(column: CatalogColumn, evidence: Evidence, ofPeople: boolean): Verdict {
  if (evidence.longAgo > 0 && evidence.longAgo * 2 >= evidence.sampled) {
    const reason = `${evidence.longAgo} of ${evidence.sampled} sampled values lie as far back as births do`;
    return { guess: 'person.birth', reason };
  }
  if (isBookkeeping(column.name)) return { guess: 'internal', reason: 'when the row was written' };
  return ofPeople
    ? { guess: 'moment', reason: 'a time, perhaps of something that a person did' }
    : { guess: 'internal', reason: 'a time, in a table that refers to no person' };
}

function judgeText(column: CatalogColumn, evidence: Evidence): Verdict {
  if (column.typeKind === 'e') {
    return { guess: 'internal', reason: 'one of a list of labels, and its name says nothing personal' };
  }
  if (areLabels(evidence)) {
    const reason = `labels: ${evidence.distinct} of ${evidence.sampled} sampled values are different`;
    return { guess: 'internal', reason };
  }
  const reason =
    evidence.sampled === 0
      ? 'a text, and no value of it was sampled'
      : `a text; ${evidence.distinct} of ${evidence.sampled} sampled values are different`;
  return { guess: 'unknown', reason };
}
