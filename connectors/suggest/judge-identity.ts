import type { ValueKind } from '../../schemas/value-kind.ts';
import type { CatalogColumn } from '../postgres/catalog.ts';
import { classifyName } from './classify-name.ts';
import { commonLook, type Evidence } from './classify-values.ts';
import type { Guess, Verdict } from './guess.ts';
import { nameTokens } from './name-tokens.ts';
import type { Identity } from './relations.ts';

/** An identity's verdict, and what becomes of it. */
export interface IdentityVerdict extends Verdict {
  readonly treat: 'keep' | 'hash';
}

const surrogateKinds: ReadonlySet<ValueKind> = new Set(['int', 'long', 'uuid', 'decimal']);
const surrogateEnds: ReadonlySet<string> = new Set(['id', 'ids', 'key', 'fk', 'pk', 'uuid', 'guid', 'uid']);
/** Keys that one person has and another has not, made by nobody's database. */
const naturalGuesses: ReadonlySet<Guess> = new Set([
  'credential',
  'payment.card',
  'payment.bank',
  'person.national-id',
  'person.contact',
]);

/**
 * A number or a uuid that somebody's database has made up stays: without it rows cannot be joined. A text is made up
 * by people, and so are official numbers: those become pseudonyms, with which rows can be joined as well.
 */
export function judgeIdentity(
  column: CatalogColumn,
  kind: ValueKind,
  identity: Identity,
  evidence: Evidence,
): IdentityVerdict {
  const role = identity.refersTo === undefined ? 'it tells rows apart' : `it refers to ${identity.refersTo}`;
  const named = classifyName(column.name, false);
  const isSurrogate = surrogateEnds.has(nameTokens(column.name).at(-1) ?? '');
  const natural =
    named && naturalGuesses.has(named.guess) && (!isSurrogate || named.guess === 'person.national-id');
  if (natural && !identity.serial) return { ...named, reason: `${role}; ${named.reason}`, treat: 'hash' };
  const look = identity.serial ? undefined : commonLook(evidence);
  if (look) return { guess: look.guess, reason: `${role}; ${look.reason}`, treat: 'hash' };
  const guess = identity.person === undefined ? 'internal' : 'person.id';
  if (surrogateKinds.has(kind)) {
    const how = identity.serial ? ' and is numbered by a sequence' : '';
    return { guess, reason: `${role}${how}`, treat: 'keep' };
  }
  if (column.typeKind === 'e') return { guess, reason: `${role}, by one of a list of labels`, treat: 'keep' };
  const written =
    kind === 'text' ? 'a text, which may be a person’s' : `${column.typeText}, which may tell of a person`;
  return { guess: 'person.id', reason: `${role} by ${written}`, treat: 'hash' };
}
