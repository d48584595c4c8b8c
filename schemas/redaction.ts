/** What `redact` finds in a text: a closed list. What each means exactly stands in docs/redaction.md. */
export const redactionKinds = ['email', 'phone', 'card', 'iban', 'national-id', 'ip', 'name'] as const;
export type RedactionKind = (typeof redactionKinds)[number];

/** What stands in the text instead of an item of a kind. */
export const placeholders: Readonly<Record<RedactionKind, string>> = {
  email: '[email]',
  phone: '[phone]',
  card: '[card]',
  iban: '[iban]',
  'national-id': '[national-id]',
  ip: '[ip]',
  name: '[name]',
};
