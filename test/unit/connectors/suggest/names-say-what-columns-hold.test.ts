import { describe, expect, it } from 'vitest';
import { classifyName, isBookkeeping } from '../../../../connectors/suggest/classify-name.ts';
import { nameTokens } from '../../../../connectors/suggest/name-tokens.ts';
import { personTypeOf } from '../../../../connectors/suggest/person-tables.ts';

const expected: Readonly<Record<string, string>> = {
  credential: `password_hash user_passwort kennwort motDePasse contrasena senha wachtwoord haslo api_key accessToken pin_code
    clientSecret session_id door_code promo_code otp`,
  'payment.card':
    'card_number creditCardNo kreditkarte carte_bancaire tarjeta cartao pan cvv CVC2 card_expiry',
  'person.national-id':
    'ssn national_id taxId steuernummer passport_no dni codice_fiscale cpf bsn pesel nip driver_license',
  'person.health':
    'allergies diagnosis blood_type blutgruppe sante salud salute saude needs_assistance religion gender geschlecht',
  'payment.bank':
    'iban bic kontonummer account_no cuenta numero_conto conta salary gehalt salaire credit_limit',
  'person.contact': `email eMail E_MAIL emailAdresse contact_email mail_privat courriel correo phone homePhone2 tel telefonnummer
    telefono telefoon telefone handy mobile_no fax`,
  'network.address': 'ip client_ip ip_address IPAddress user_agent device_id mac_addr',
  'person.birth':
    'birth_date dateOfBirth dob geburtsdatum date_naissance fecha_nacimiento data_nascita geboortedatum age',
  'person.name': `first_name lastName fullname vorname Nachname kundenname prenom apellido cognome sobrenome voornaam imie nazwisko`,
  'person.address': `street strasse Straße hausnummer plz zip_code postcode shipping_address adresse direccion indirizzo
    endereco ulica line1 addressLine2`,
  location: 'city stadt ville ciudad citta cidade lat lon latitude geo_point',
  'content.free-text': `notes notiz comment kommentar commentaire comentario remarque description beschreibung message bio review_body
    cancel_reason`,
  confidential: 'cost purchase_price einkaufspreis',
};

describe('a name', () => {
  it.each(Object.entries(expected))('says %s in many languages', (guess, names) => {
    const wrong = names
      .split(/\s+/)
      .map((name) => [name, classifyName(name, true)?.guess] as const)
      .filter(([, found]) => found !== guess);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['homePhone2', ['home', 'phone', '2']],
    ['HTTPServerIP', ['http', 'server', 'ip']],
    ['Straßen-Größe', ['strassen', 'grosse']],
    ['CUSTOMER_NO', ['customer', 'no']],
  ])('%s has the parts %j', (name, parts) => {
    expect(nameTokens(name)).toEqual(parts);
  });

  it.each([
    'quantity',
    'status',
    'unit_price',
    'weight_g',
    'created_at',
    'sku',
    'is_default',
    'shipping_zone',
  ])('%s says nothing personal', (name) => {
    expect(classifyName(name, true)).toBeUndefined();
  });

  it('alone is a person’s where the table is of people, and in doubt elsewhere', () => {
    expect(classifyName('name', true)?.guess).toBe('person.name');
    expect(classifyName('name', false)?.guess).toBe('unknown');
  });

  it('tells when a row was written from when something was done', () => {
    expect(
      ['created_at', 'updatedAt', 'last_modified', 'geändert_am', 'deleted_on'].every(isBookkeeping),
    ).toBe(true);
    expect(['last_login_at', 'paid_at', 'verified_at'].some(isBookkeeping)).toBe(false);
  });
});

describe('the name of a table', () => {
  it.each([
    ['public.customers', 'customer'],
    ['shop.app_users', 'user'],
    ['public.Privatkunden', 'customer'],
    ['public.utilisateurs', 'user'],
    ['public.pacientes', 'patient'],
    ['public.pracownicy', 'employee'],
    ['public.customer_orders', undefined],
    ['public.products', undefined],
  ])('%s lists %s', (table, type) => {
    expect(personTypeOf(table)).toBe(type);
  });
});
