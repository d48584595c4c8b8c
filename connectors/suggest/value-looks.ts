import { isIP } from 'node:net';
import type { Guess } from './guess.ts';
import { ibanLengths, passesLuhn, passesMod97 } from './check-digits.ts';

/** What a value can look like, with what it would be then. */
export const looks = {
  jwt: { guess: 'credential', says: 'signed tokens' },
  login: { guess: 'credential', says: 'addresses with a login in them' },
  email: { guess: 'person.contact', says: 'e-mail addresses' },
  uuid: { guess: 'person.id', says: 'identifiers' },
  network: { guess: 'network.address', says: 'network addresses' },
  iban: { guess: 'payment.bank', says: 'IBANs' },
  card: { guess: 'payment.card', says: 'card numbers' },
  nationalId: { guess: 'person.national-id', says: 'official numbers of persons' },
  phone: { guess: 'person.contact', says: 'phone numbers' },
  street: { guess: 'person.address', says: 'street addresses' },
  token: { guess: 'credential', says: 'tokens' },
  personName: { guess: 'person.name', says: 'names of persons' },
} as const satisfies Record<string, { guess: Guess; says: string }>;
export type Look = keyof typeof looks;

const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
const jwt = /eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g;
const login = /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/@]+@\S*/gi;
const email = /[^\s@"'<>,;:{}()[\]]{1,64}@[^\s@"'<>,;{}()[\]]{1,255}/g;
const dottedQuad = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g;
const colonGroups =
  /(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3})?(?!\w)/gi;
const macAddress = /(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}/gi;
const ibanStart = /[A-Z]{2}\d{2}/gi;
const digitGroups = /\d(?:[ -]?\d){12,}/g;
const nationalId =
  /(?<![\dA-Z])(?:\d{3}-\d{2}-\d{4}|\d{3}\.\d{3}\.\d{3}-\d{2}|\d{8}-?[A-Z])(?![\dA-Z])|(?<![A-Z])(?:[A-Z]{2}(?: ?\d{2}){3} ?[A-D]|[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z])(?![A-Z])/gi;
/** Not the number of a code, as in ABC-1234567. */
const phone = /(?<![\p{L}\p{N}_][-_]?)\+?\(?\d[\d ()./\u2010-\u2015-]{4,}\d/gu;
const isoDate = /^\d{4}-\d{2}-\d{2}/;
const streets = [
  /\d+\s?[a-z]?,?\s+(?:\p{L}+\.?\s+){1,4}(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|way|boulevard|blvd|court|ct|place|square|close)\b/iu,
  /\p{L}(?:straße|strasse|str\.|weg|platz|gasse|allee|ring|damm|ufer|straat|laan|plein|gracht)\s*\d/iu,
  /(?:^|[\s,"])(?:rue|calle|via|viale|rua|ul\.|ulica|plaza|piazza|place|chemin|impasse|avenida|av\.|al\.)\s+\S/iu,
];
const names = [
  /\p{Lu}[\p{Ll}'’]+[\s,.·-]+(?:\p{Ll}{1,4}\s+){0,2}\p{Lu}[\p{L}'’.]*/u,
  /^\p{Lu}{2,}[\s,]+\p{Lu}{2,}$/u,
];

/** Everything that a text looks like. What was recognised is taken out, so that it is not also something else. */
export function looksOf(value: string): Set<Look> {
  const found = new Set<Look>();
  let rest = value.normalize('NFKC');
  const take = (look: Look, pattern: RegExp, isOne: (match: string) => boolean = () => true): void => {
    rest = rest.replaceAll(pattern, (match) => {
      if (!isOne(match)) return match;
      found.add(look);
      return ' ';
    });
  };
  take('jwt', jwt);
  if (rest.includes('@')) {
    take('login', login);
    take('email', email);
  }
  take('uuid', uuid);
  take('network', macAddress);
  take('network', dottedQuad, (match) => isIP(match) === 4);
  take('network', colonGroups, (match) => isIP(match) === 6);
  if (holdsIban(rest)) found.add('iban');
  if (isToken(rest.trim())) found.add('token');
  take('card', digitGroups, holdsCard);
  take('nationalId', nationalId);
  take('phone', phone, isPhone);
  if (streets.some((pattern) => pattern.test(rest))) found.add('street');
  if (names.some((pattern) => pattern.test(rest))) found.add('personName');
  return found;
}

/** What a number looks like when it is written down. Short local phone numbers cannot be told from any other number. */
export function looksOfNumber(value: string): Set<Look> {
  const digits = value.replace(/^-/, '').replace(/\.0*$/, '');
  if (!/^\d+$/.test(digits)) return new Set();
  if (isCard(digits)) return new Set(['card']);
  return digits.length >= 10 && digits.length <= 15 ? new Set(['phone']) : new Set();
}

function holdsIban(text: string): boolean {
  for (const { index } of text.matchAll(ibanStart)) {
    const plain = text
      .slice(index, index + 70)
      .replaceAll(/[ -]/g, '')
      .toUpperCase();
    const candidate = plain.slice(0, ibanLengths[plain.slice(0, 2)] ?? 0);
    if (candidate.length >= 15 && /^[A-Z0-9]+$/.test(candidate) && passesMod97(candidate)) return true;
  }
  return false;
}

/** ISO/IEC 7812: at most 19 digits; no network's numbers start with 0, and a row of zeros would pass the check. */
function isCard(digits: string): boolean {
  return /^[1-9]\d{12,18}$/.test(digits) && passesLuhn(digits);
}

/** Neighbouring groups of digits that make one card number. */
function holdsCard(run: string): boolean {
  const groups = run.split(/[ -]/).slice(0, 24);
  return groups.some((_, from) => {
    let digits = '';
    return groups.slice(from).some((group) => {
      digits += group;
      return isCard(digits);
    });
  });
}

/** E.164 has at most 15 digits; a local number with its area has seven at least. */
function isPhone(run: string): boolean {
  const count = run.replaceAll(/\D/g, '').length;
  return count >= 7 && count <= 15 && !isoDate.test(run);
}

/** One long word of letters and digits in disorder: nobody says such a thing, something accepts it. */
function isToken(text: string): boolean {
  if (text.length < 20 || /\s/.test(text) || !/\d/.test(text) || !/[a-z]/i.test(text)) return false;
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits >= 3;
}
