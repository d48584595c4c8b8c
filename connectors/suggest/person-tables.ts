import { tableParts } from '../../schemas/contract.ts';
import { nameTokens } from './name-tokens.ts';

/** Kinds of persons, each with what tables of them are called; those whose data a business keeps first. */
const persons: readonly (readonly [type: string, words: string])[] = [
  [
    'patient',
    'patient patients patienten pacjent pacjenci paciente pacientes paziente pazienti patiente patientes',
  ],
  [
    'customer',
    `customer customers kunde kunden kundin kundinnen klant klanten cliente clientes clienti klient klienci klienten
      buyer buyers shopper shoppers subscriber subscribers abonnent abonnenten abonne abonnes guest guests gast gaeste`,
  ],
  ['client', 'client clients mandant mandanten'],
  [
    'member',
    'member members mitglied mitglieder membre membres miembro miembros membro membros lid leden czlonek',
  ],
  [
    'user',
    `user users benutzer nutzer anwender utilisateur utilisateurs usuario usuarios utente utenti utilizador utilizadores
      gebruiker gebruikers uzytkownik uzytkownicy profile profiles profil profile author authors`,
  ],
  [
    'person',
    `person persons people personen personne personnes persona personas persone pessoa pessoas persoon osoba osoby
      contact contacts kontakt kontakte contacto contactos individual individuals citizen citizens resident residents`,
  ],
  [
    'student',
    'student students pupil pupils schueler schuler studenten etudiant etudiants alumno alumnos studente studenti',
  ],
  ['applicant', 'applicant applicants candidate candidates bewerber candidat candidats lead leads'],
  ['account', 'account accounts'],
  [
    'employee',
    `employee employees staff worker workers mitarbeiter mitarbeitende angestellte employe employes salarie salaries
      empleado empleados dipendente dipendenti funcionario funcionarios werknemer werknemers medewerker medewerkers
      pracownik pracownicy teacher teachers doctor doctors driver drivers fahrer lehrer arzt aerzte`,
  ],
];

const typeOf = new Map(
  persons.flatMap(([type, words]) => words.split(/\s+/).map((word) => [word, type] as const)),
);
const ranks = new Map(persons.map(([type], index) => [type, index]));
const shortestEnd = 5;

/**
 * The kind of person that a table is a list of, by the last part of its name (`app_users`,
 * `Privatkunden`). Undefined for others: `customer_orders` are orders.
 */
export function personTypeOf(table: string): string | undefined {
  const last = nameTokens(tableParts(table).table).at(-1) ?? '';
  const exact = typeOf.get(last);
  if (exact !== undefined) return exact;
  for (const [word, type] of typeOf) {
    if (word.length >= shortestEnd && last.endsWith(word)) return type;
  }
  return undefined;
}

/** What may be written together with a kind of person: `userid`. */
const joined = /(?:id|ids|no|nr|num|number|ref|key|code)$/;

/** Does a part of the name say a kind of person? `customer_id`, `UserRef` and `userid` do, and `uid`, which is short for it. */
export function namesPerson(name: string): boolean {
  return nameTokens(name).some(
    (token) => token === 'uid' || typeOf.has(token) || typeOf.has(token.replace(joined, '')),
  );
}

/** Whose data a row rather is where it names several persons: an order is the customer's, not the clerk's. */
export function personRank(type: string): number {
  return ranks.get(type) ?? ranks.size;
}
