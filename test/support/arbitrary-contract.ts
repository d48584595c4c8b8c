import * as fc from 'fast-check';
import { actionNames, type ActionName } from '../../schemas/column-rule.ts';
import { type Contract, contractShape } from '../../schemas/contract.ts';
import { formatAlphabets } from '../../schemas/format-alphabet.ts';
import { redactionKinds } from '../../schemas/redaction.ts';
import { sinkNames } from '../../schemas/sink-name.ts';
import { classifications } from '../../schemas/vocabulary.ts';

const part = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const kebab = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const pick = <T>(...options: readonly T[]) => fc.constantFrom(...options);
const keyed = { domain: kebab, under: pick('subject', 'shared') };

/** Whatever Postgres takes as a name; the one that is left out no object can have for a key. */
const name = fc
  .oneof(part, fc.string({ minLength: 1, maxLength: 63 }), pick('null', '1', '<<', '~', 'yes', '# x', '- x'))
  .filter((text) => text !== '__proto__');

const sinks = fc.uniqueArray(pick(...sinkNames));

/** Options of each action that has some. */
const options: Readonly<Partial<Record<ActionName, Record<string, fc.Arbitrary<unknown>>>>> = {
  mask: { keepStart: fc.nat(16), keepEnd: fc.nat(16) },
  truncate: { keep: fc.integer({ min: 1, max: 1_000 }) },
  generalise: {
    to: fc.oneof(
      pick('year', 'month', 'day', 'network'),
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 999 }).map((n) => n / 1_000),
      pick(1e15),
    ),
    v4: fc.integer({ min: 1, max: 31 }),
    v6: fc.integer({ min: 1, max: 127 }),
  },
  redact: {
    kinds: fc.uniqueArray(pick(...redactionKinds), { minLength: 1 }),
    names: fc.array(name, { minLength: 1, maxLength: 3 }),
  },
  hash: keyed,
  tokenise: keyed,
  'format-preserving': { ...keyed, alphabet: pick(...Object.keys(formatAlphabets)) },
};
const required: readonly string[] = ['action', 'keep', 'to', 'paths'];

/** A rule of one of the actions, with some of its options and what is given beside them. */
function rule(
  beside: Record<string, fc.Arbitrary<unknown>>,
  actions: readonly ActionName[],
  must: readonly string[],
) {
  return fc.oneof(
    ...actions.map((action) => {
      const model = { ...beside, action: fc.constant(action), ...options[action] };
      const requiredKeys = [...required, ...must].filter((key) => key in model) as (keyof typeof model)[];
      return fc.record(model, { requiredKeys });
    }),
  );
}

const classification = { classification: pick(...classifications) };
const plain = actionNames.filter((action) => action !== 'paths');
const path = fc.oneof(
  part,
  fc.tuple(part, part).map(([a, b]) => `${a}.${b}`),
  part.map((key) => `${key}[].*`),
  pick('[]', '"odd key".x', 'theme.**'),
);
/** What only a column has beside its action. */
const ofColumn = { ...classification, sinks, searchable: fc.boolean() };
const column = fc.oneof(
  { weight: 10, arbitrary: rule(ofColumn, plain, ['classification']) },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ...ofColumn,
        action: fc.constant('paths'),
        paths: fc.dictionary(path, rule(classification, plain, []), { minKeys: 1, maxKeys: 4 }),
      },
      { requiredKeys: ['classification', 'action', 'paths'] },
    ),
  },
);
const values = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.boolean(),
    pick('null', 'yes', '01', '1e3', '~'),
  ),
  { minLength: 1, maxLength: 4 },
);
const condition = fc.oneof(
  fc.record({ column: name, in: values }),
  fc.record({ column: name, notIn: values }),
  fc.record({ column: name, is: pick('empty', 'present') }),
);

const duration = fc.stringMatching(/^\d{1,9}(ms|s|m|h|d)$/);
/** A path over foreign keys: a column of the row, then columns of other tables. */
const wayOut = fc
  .tuple(name, fc.array(fc.tuple(part, part, part), { minLength: 1, maxLength: 3 }))
  .map(([column, hops]) => [column, ...hops.map((hop) => hop.join('.'))]);

const someColumns = fc.array(name, { minLength: 1, maxLength: 3 });
const erasure = fc.record(
  {
    source: pick('delete', 'null', 'application'),
    columns: someColumns,
    retain: fc.record({
      columns: someColumns,
      basis: fc.string({ minLength: 1, unit: 'grapheme' }),
      for: fc.stringMatching(/^[1-9]\d{0,3}[ymd]$/),
    }),
    starts: fc.boolean(),
  },
  { requiredKeys: [] },
);

/** Any contract that the shape takes, as it is after loading. */
export const contract: fc.Arbitrary<Contract> = fc
  .record(
    {
      table: fc.tuple(part, part).map(([schema, table]) => `${schema}.${table}`),
      owner: fc.string({ minLength: 1, unit: 'grapheme' }),
      tier: pick(0, 1, 2),
      subject: fc.oneof(fc.record({ type: kebab, key: name }), fc.record({ type: kebab, path: wayOut })),
      where: fc.array(condition, { maxLength: 3 }),
      consent: fc.oneof(
        fc.record({ purpose: kebab, column: name, granted: values }, { requiredKeys: ['purpose', 'column'] }),
        fc.record({ purpose: kebab, path: wayOut, granted: values }, { requiredKeys: ['purpose', 'path'] }),
      ),
      parking: fc.record({ deadline: duration }),
      erasure,
      sinks,
      unclassified: pick('drop', 'halt'),
      truncate: pick('halt', 'ignore', 'delete'),
      staleness: duration,
      columns: fc.dictionary(name, column, { minKeys: 1, maxKeys: 12 }),
    },
    { requiredKeys: ['table', 'owner', 'tier', 'sinks', 'staleness', 'columns'] },
  )
  .map((written) => contractShape.parse(written));
