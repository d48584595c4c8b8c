interface Term {
  /** One sentence. */
  readonly meaning: string;
  /** Does it speak of a person, or may it? */
  readonly personal: boolean;
}

/** What a column holds: one closed vocabulary for all contracts. */
export const vocabulary = {
  public: { meaning: 'Anyone may read it.', personal: false },
  internal: { meaning: 'The company’s own business, about nobody in particular.', personal: false },
  'person.id': { meaning: 'A number, code or picture that a person is known by.', personal: true },
  'person.name': { meaning: 'A name of a person, whole or in part.', personal: true },
  'person.contact': { meaning: 'A way to reach a person: e-mail, phone, messenger.', personal: true },
  'person.address': { meaning: 'Where a person lives or gets post.', personal: true },
  'person.birth': { meaning: 'Date or place of birth, or age.', personal: true },
  'person.national-id': { meaning: 'An official number: passport, tax, social security.', personal: true },
  'person.health': {
    meaning: 'Health, or another trait of GDPR article 9: belief, origin, orientation.',
    personal: true,
  },
  'payment.card': { meaning: 'Card number, expiry, security code, and what holds them.', personal: true },
  'payment.bank': { meaning: 'Account, mandate, token or limit: a person’s means.', personal: true },
  'network.address': { meaning: 'An IP address, a device or a browser.', personal: true },
  location: { meaning: 'Where somebody or something is, on a map.', personal: true },
  'content.free-text': { meaning: 'Text that people write: it may say anything, of anyone.', personal: true },
  credential: { meaning: 'What lets somebody in: password, hash of one, token, door code.', personal: true },
} as const satisfies Readonly<Record<string, Term>>;

export type Classification = keyof typeof vocabulary;

/** Every classification, in the vocabulary's order. */
export const classifications = Object.keys(vocabulary) as [Classification, ...Classification[]];

export function isClassification(name: unknown): name is Classification {
  return typeof name === 'string' && Object.hasOwn(vocabulary, name);
}

/** The vocabulary as a Markdown table. */
export function vocabularyTable(): string {
  const rows = Object.entries(vocabulary).map(
    ([name, { meaning, personal }]) => `| \`${name}\` | ${meaning} | ${personal ? 'yes' : ''} |`,
  );
  return ['| classification | meaning | personal |', '|---|---|---|', ...rows].join('\n');
}
