import { z } from 'zod';

/** What a certificate's signature is bound to besides its text; another format has another name. */
export const certificateFormat = 'lethe/certificate/v1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hex');
/** ISO 8601 in UTC, with or without fractions of a second. */
const instant = z.iso.datetime();
const name = z.string().min(1).max(500);
const words = z.string().min(1).max(5_000);
const count = z.int().min(0);
/** Neither `__proto__` nor a number, which JavaScript would put in another place than other languages. */
const evidenceName = z.string().regex(/^[a-z][A-Za-z0-9]{0,59}$/, 'a name in camelCase');

const finality = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('final'), at: instant }),
  z.strictObject({ state: z.literal('provisional'), until: instant.optional(), why: words }),
]);

const step = z.strictObject({
  step: name,
  startedAt: instant,
  endedAt: instant,
  attempts: z.int().min(1),
  /** Names and whole numbers: a fraction is written differently from language to language. */
  evidence: z.record(evidenceName, z.union([z.string().max(5_000), z.int()])),
});

const key = z.strictObject({
  keyId: name,
  /** Empty: the person's key. */
  purpose: z.string().max(500),
  generations: count,
  destroyedAt: instant,
  epoch: z.int().min(1),
  /** When nobody can open it from a backup any more; null: not known yet. */
  finalAt: instant.nullable(),
});

const table = z.strictObject({
  table: name,
  records: count,
  source: z.strictObject({ action: z.enum(['delete', 'null', 'application']), rows: count }),
  /** How each column is forgotten in copies that nobody can reach. */
  forgotten: z.array(z.strictObject({ column: name, how: z.enum(['with the key', 'by deletion only']) })),
});

const place = z
  .strictObject({
    place: name,
    /** How many values and record keys were looked for. */
    asked: count,
    /** How often one of them was met; null: nobody can say. */
    found: count.nullable(),
    /** How often the same scan met records of others, which are known to be there: without one its word does not count. */
    controls: count,
    verdict: z.enum(['clean', 'found', 'not scanned']),
    /** What was read. */
    records: count,
    files: count,
    bytes: count,
    at: instant,
    why: words.optional(),
  })
  .refine(
    ({ verdict, found, controls, why }) =>
      verdict === 'clean'
        ? found === 0 && controls > 0
        : verdict === 'found'
          ? (found ?? 0) > 0
          : why !== undefined,
    'clean is where nothing is left, found where something is; what was not scanned says why',
  );

const retained = z.strictObject({
  table: name,
  columns: z.array(name).min(1),
  /** That are left, each under an id drawn by lot. They are personal data. */
  rows: z.int().min(1),
  basis: words,
  until: instant.nullable(),
});

/** Somebody who has data from this pipeline, and had some of this person. */
const recipient = z.strictObject({
  recipient: name,
  /** His tables that had records of the person, and how many they had. */
  tables: z.array(name).min(1),
  records: z.int().min(1),
  toldAt: instant,
  /** When he said that he has done his part; null: not yet. */
  acknowledgedAt: instant.nullable(),
});

/** How many had to approve the request besides who filed it, and when each did. Who they are stands in the audit. */
const approvals = z
  .strictObject({ needed: count, givenAt: z.array(instant) })
  .refine(({ needed, givenAt }) => givenAt.length >= needed, 'fewer have approved than had to');

const notExamined = z.strictObject({ what: words, why: words, until: instant.optional() });

/** What is certified, but for its place in the chain. Names, numbers and times: no id of a person and no value. */
const body = z.strictObject({
  pipeline: name,
  environment: z.enum(['production', 'development', 'demo']),
  overrides: z.array(name),
  request: name,
  /** See commitment.ts. */
  commitment: sha256,
  receivedAt: instant,
  deadline: instant,
  suppressedAt: instant,
  keyDestroyedAt: instant,
  completedAt: instant,
  approvals,
  finality,
  steps: z.array(step),
  keys: z.array(key),
  tables: z.array(table),
  places: z.array(place),
  retained: z.array(retained),
  recipients: z.array(recipient),
  notExamined: z.array(notExamined),
});

function isFinalWithItsKeys({ finality: { state }, keys }: z.infer<typeof body>): boolean {
  return state === 'provisional' || keys.every(({ finalAt }) => finalAt !== null);
}
const notFinal = { error: 'it is not final while a key is not', path: ['finality'] };

export const certificateBodyShape = body.refine(isFinalWithItsKeys, notFinal);
export type CertificateBody = z.infer<typeof certificateBodyShape>;

export const certificateShape = body
  .extend({
    /** From 1 on, without a gap. */
    number: z.int().min(1),
    /** Hash of the certificate before; null for the first. */
    previous: sha256.nullable(),
  })
  .refine(isFinalWithItsKeys, notFinal)
  .refine(({ number, previous }) => (number === 1) === (previous === null), {
    error: 'the first follows none, and every other one',
    path: ['previous'],
  });
export type Certificate = z.infer<typeof certificateShape>;
