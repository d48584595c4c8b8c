import type { Guess } from './guess.ts';

/** What words in a column's name say. */
export interface NameClass {
  readonly guess: Guess;
  /** Follows "its name says". */
  readonly says: string;
  /**
   * Without accents, parted by spaces. A word of five letters or more counts anywhere in the name, so that compounds
   * and plurals are found (geburtsdatum, telefonnummer); a shorter one, or one with `=`, must be a whole part of it.
   */
  readonly words: string;
}

/**
 * English, German, French, Spanish, Italian, Portuguese, Dutch and Polish. The first class that matches counts: what is
 * dropped before what is encrypted, and `ip_address` before `address`.
 */
export const nameClasses: readonly NameClass[] = [
  {
    guess: 'credential',
    says: 'a credential',
    words: `password passwd passwort passphrase passcode pass pwd pw kennwort losungswort motdepasse mdp contrasena
      clave senha wachtwoord haslo parola secret geheim secreto segreto segredo token apikey accesskey privatekey
      secretkey signingkey authkey keyhash credential hash digest salt otp totp mfa 2fa pin puk session cookie jwt oauth
      doorcode accesscode entrycode unlockcode recoverycode backupcode resetcode verificationcode securityanswer
      securityquestion turcode promocode promo coupon voucher gutschein giftcard redeem`,
  },
  {
    guess: 'payment.card',
    says: 'a payment card',
    words: `creditcard cardnumber cardno card cards kreditkart karte kartennummer carte tarjeta cartao creditcard kaartnummer
      karta pan cvv cvc cvv2 cvc2 csc ccnum ccn expmonth expyear expdate cardexp`,
  },
  {
    guess: 'person.national-id',
    says: 'an official number of a person',
    words: `ssn socialsecurity sozialversicherung svnr svnummer taxid taxnumber taxpayer steuernummer steuerid steuernr
      tin nationalid nationalnumber nationalidentity nino nin passport passnummer reisepass passeport pasaporte
      passaporto paspoort paszport ausweis idcard idnumber identitycard identitynumber personnummer
      dni nif nie nss nir insee securitesociale codicefiscale cpf cnpj rg bsn burgerservice pesel nip regon dowod curp rfc
      driverlicense driverslicense drivinglicence drivinglicense drivinglicence licensenumber licencenumber
      fuehrerschein fuhrerschein permisconduire aadhaar sin medicare krankenversicherung versichertennummer`,
  },
  {
    guess: 'person.health',
    says: 'health or another trait that is a person’s own',
    words: `allerg diagnos blood blutgruppe blut health gesund sante salud salute saude gezond zdrow medical medic
      medizin disease illness krank maladie enfermedad malattia doenca ziekte choroba symptom therap terap treatment
      behandlung prescription rezept disab behinder handicap assistance pflegegrad pregnan schwanger enceinte embaraz
      vaccin impf szczepi hiv bmi icd religion religi konfession confession faith ethnic ethnie etnia race =rasse
      political politisch politique gewerkschaft tradeunion sexual sexuell orientation gender geschlecht sex sexe sexo
      sesso genero geslacht plec marital familienstand`,
  },
  {
    guess: 'payment.bank',
    says: 'a bank account or somebody’s means',
    words: `iban bic swift account konto kontonr blz bank banque banco banca compte cuenta =conto =conta rekening rachunek
      routing sortcode rib sepa mandat mandate salary salari gehalt lohn wage wages salaire sueldo stipendio salaris
      wynagrodzenie income einkommen revenu ingresos reddito renda inkomen dochod credit kredit credito krediet debt
      schulden dette deuda debito schufa solvency bonitaet balance saldo networth`,
  },
  {
    guess: 'person.contact',
    says: 'a way to reach a person',
    words: `email mail mails emails courriel correo phone telefon telefono telefoon telefone telef tel tlf fon mobile
      mobil mobiel handy handynr handynummer cell cellular celular cellulare movil telemovel portable gsm komork fax
      rufnummer msisdn whatsapp telegram skype signal contact kontakt contacto contatto contato twitter facebook
      instagram linkedin homepage`,
  },
  {
    guess: 'network.address',
    says: 'a network address or a device',
    words: `ip ips ipaddr ipaddress ipadresse ipv4 ipv6 inet mac macaddr useragent ua browser device geraet gerat appareil
      dispositivo apparaat urzadzenie fingerprint imei imsi udid idfa gaid adid hostname host referrer referer`,
  },
  {
    guess: 'person.birth',
    says: 'a birth or an age',
    words: `birth geburt gebdat dob bday naissance nacimiento nascita nascimento geboorte urodz age =alter edad eta =idade
      leeftijd wiek born geboren`,
  },
  {
    guess: 'person.name',
    says: 'a person’s name',
    words: `firstname lastname surname fullname givenname familyname middlename maidenname nickname displayname username
      forename vorname nachname familienname kundenname benutzername anzeigename rufname prenom patronyme nomfamille
      apellido nombrecompleto cognome nomeutente sobrenome apelido voornaam achternaam imie nazwisko login =alias holder
      inhaber titulaire titular titolare recipient empfanger empfaenger destinataire destinatario ontvanger odbiorca
      ansprechpartner contactperson author autor auteur autore signatory signature unterschrift salutation anrede`,
  },
  {
    guess: 'person.address',
    says: 'an address',
    words: `street strasse strass str address addr adresse adress adres anschrift direccion indirizzo endereco hausnummer
      hausnr hnr housenumber houseno rue calle via rua ulica straat domicil wohnort plz postleitzahl zip zipcode postcode
      postal codepostal codigopostal codicepostale cap cep kodpocztowy postfach pobox apartment appartment etage wohnung
      line1 line2 line3 addressline zeile1 zeile2 destination`,
  },
  {
    guess: 'location',
    says: 'a place',
    words: `city stadt ort ortsname ville ciudad citta cidade stad miasto town commune comune municipio gemeinde lat latitude
      lon lng long longitude geo geom gps coord location standort breitengrad laengengrad langengrad ubicacion
      locatie lokalizacja`,
  },
  {
    guess: 'person.id',
    says: 'what a person is known by',
    words: `customerno customernumber customerref kundennummer kundennr kundenref personalnummer personalnr mitgliedsnummer
      matricul matrikel employeeno memberno patientno loyaltycard externalref externalid trackingnumber tracking avatar
      portrait photo foto selfie biometric partner guardian spouse parent emergency`,
  },
  {
    guess: 'content.free-text',
    says: 'free text',
    words: `note notes notiz notizen bemerkung kommentar comment commentaire comentario commento opmerking komentarz remark
      remarque description beschreibung descripcion descrizione descricao omschrijving opis message nachricht mensaje
      messaggio mensagem bericht wiadomosc bio biograph biograf about text texte texto testo tekst freitext body content
      inhalt contenu contenido contenuto conteudo inhoud tresc reason grund motif motivo reden feedback review reply
      answer antwort question frage chat memo hint hinweis instruction summary observacion uwagi subject betreff objet
      asunto oggetto assunto onderwerp draft transcript =title =titel =titre
      =titulo =titolo`,
  },
  {
    guess: 'confidential',
    says: 'what the business keeps to itself',
    words: `cost costs kosten margin marge margen margine wholesale purchaseprice einkaufspreis prixachat`,
  },
];

/** A bare name is a person's in a table of people; of a product it is none. */
export const bareNames: ReadonlySet<string> = new Set(
  'name names nom noms nombre nombres nome nomi nomes naam namen nazwa'.split(' '),
);

/** Words that count a thing instead of holding it: a number beside one of them is not the thing. */
export const counterWords: ReadonlySet<string> = new Set(
  'count cnt counter anzahl zahl size length len'.split(' '),
);

/** When the row was written, which says of a person no more than that there is a row. */
export const bookkeepingWords: readonly string[] =
  `created added updated modified inserted changed deleted archived creation insertion update erstellt angelegt geaendert
  geandert aktualisiert geloescht geloscht cree modifie creado actualizado modificado creato modificato aggiornato criado
  atualizado aangemaakt gewijzigd bijgewerkt utworzono zmieniono zaktualizowano`.split(/\s+/);
