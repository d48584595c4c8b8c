import { isCodiceFiscaleValid, isMod1110Valid, isSpanishLetterValid, weightedSum } from './check-digits.ts';
import { isLuhnValid } from './luhn.ts';
import type { Span } from './span.ts';

interface NationalId {
  readonly pattern: RegExp;
  /** Whether what the pattern found is one; it gets the letters and digits alone. */
  readonly isValid: (id: string) => boolean;
}

/** United States: what the Social Security Administration never issues is none (SSA, POMS RM 10201.035). */
const socialSecurityNumber: NationalId = {
  pattern: id(String.raw`\d{3}-\d\d-\d{4}|\d{3} \d\d \d{4}`),
  isValid: (id) => !/^(?:000|666|9)|^...00|0000$/.test(id),
};

/** United Kingdom: National Insurance number (HM Revenue and Customs, National Insurance Manual NIM39110). */
const nationalInsuranceNumber: NationalId = {
  pattern: id(String.raw`[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]`),
  isValid: (id) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(id),
};

/** Germany: steuerliche Identifikationsnummer (section 139b Abgabenordnung), check digit by ISO/IEC 7064 mod 11,10. */
const steuerId: NationalId = {
  pattern: id(String.raw`[1-9]\d ?\d{3} ?\d{3} ?\d{3}`),
  isValid: isMod1110Valid,
};

/** France: numéro d'inscription au répertoire (INSEE; décret 82-103). The key is 97 less the number by 97. */
const inscriptionNumber: NationalId = {
  pattern: id(String.raw`[1-478] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d`),
  // The departments of Corsica count as 19 and 18.
  isValid: (id) => {
    const number = Number(id.slice(0, 13).replace('2A', '19').replace('2B', '18'));
    return 97 - (number % 97) === Number(id.slice(13));
  },
};

/** Spain: documento nacional de identidad (Real Decreto 1553/2005; letter by Ministerio del Interior). */
const dni: NationalId = {
  pattern: id(String.raw`\d\d\.?\d{3}\.?\d{3}[- ]?[A-Z]`),
  isValid: (id) => isSpanishLetterValid(id.slice(0, 8), id.slice(8)),
};

/** Spain: número de identidad de extranjero; X, Y, Z count as 0, 1, 2 (Orden INT/2058/2008). */
const nie: NationalId = {
  pattern: id(String.raw`[XYZ][- ]?\d{7}[- ]?[A-Z]`),
  isValid: (id) => isSpanishLetterValid('XYZ'.indexOf(id[0]!) + id.slice(1, 8), id.slice(8)),
};

/** Italy: codice fiscale (Decreto del Ministro delle Finanze, 23 December 1976), also with letters for digits. */
const codiceFiscale: NationalId = {
  pattern: id(
    String.raw`[A-Z]{3} ?[A-Z]{3} ?##[A-EHLMPRST]## ?[A-Z]### ?[A-Z]`.replaceAll('#', '[\\dLMNP-V]'),
  ),
  isValid: isCodiceFiscaleValid,
};

/** Poland: PESEL (ustawa o ewidencji ludności of 24 September 2010, article 15; weights as gov.pl publishes them). */
const pesel: NationalId = {
  pattern: id(String.raw`\d{11}`),
  isValid: (id) => weightedSum(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
};

/** Netherlands: burgerservicenummer, the eleven test (Besluit burgerservicenummer; RvIG, Logisch Ontwerp BSN). */
const citizenServiceNumber: NationalId = {
  pattern: id(String.raw`\d{4}[. ]?\d\d[. ]?\d{3}`),
  isValid: (id) => weightedSum(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && id !== '000000000',
};

/**
 * Sweden: personnummer and samordningsnummer, whose day has 60 added (folkbokföringslagen 1991:481, section 18;
 * Skatteverket SKV 704). Luhn's check is over the last ten digits.
 */
const personalIdentityNumber: NationalId = {
  pattern: id(
    String.raw`(?:18|19|20)?\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])[-+]?\d{4}`,
  ),
  isValid: (id) => isLuhnValid(id.slice(-10)),
};

const nationalIds: readonly NationalId[] = [
  socialSecurityNumber,
  nationalInsuranceNumber,
  steuerId,
  inscriptionNumber,
  dni,
  nie,
  codiceFiscale,
  pesel,
  citizenServiceNumber,
  personalIdentityNumber,
];

export function nationalIdSpans(plain: string): Span[] {
  return nationalIds.flatMap(({ pattern, isValid }) =>
    [...plain.matchAll(pattern)].flatMap((m) => {
      if (!isValid(m[1]!.replaceAll(/[^A-Z\d]/g, ''))) return [];
      return [{ from: m.index, to: m.index + m[1]!.length, kind: 'national-id' as const }];
    }),
  );
}

/**
 * Finds a form between edges, also where it overlaps the one before. Forms are bounded, so a search is linear; what is
 * rarest is looked at first.
 */
function id(form: string): RegExp {
  const edge = String.raw`(?!(?<=[\p{L}\p{M}])[\p{L}\p{M}]|(?<=\d)\d)`;
  return new RegExp(`(?=(${form})${edge})${edge}`, 'gu');
}
