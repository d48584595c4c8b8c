import { expect, test } from 'vitest';
import { fromOdcs } from '../../../../schemas/odcs/from-odcs.ts';
import { guessWord } from '../../../../connectors/suggest/guess-word.ts';

const good = `apiVersion: v3.1.0
kind: DataContract
servers: [{ type: postgres, schema: shop }]
schema:
  - name: customers
    properties:
      - name: email
        classification: person.contact
        customProperties:
          - property: lethe.action
            value: mask
          - property: lethe.keepEnd
            value: 2
      - name: profile
        classification: internal
        customProperties:
          - property: lethe.action
            value: paths
          - property: lethe.paths
            value: { born: { action: generalise, to: year } }
    customProperties:
      - property: lethe.tier
        value: 1
      - property: lethe.sinks
        value: [clickhouse]
team: { name: crm }
slaProperties: [{ property: latency, value: 30, unit: s }]
`;

function findings(text: string) {
  return fromOdcs('a.odcs.yaml', text, guessWord).findings;
}

test('a good file has no finding', () => {
  expect(findings(good)).toEqual([]);
});

test.each<[string, string, string, string]>([
  ['no YAML', good.replace('kind: ', 'kind: "'), ' YAML_SYNTAX', ''],
  ['an empty file', '', '1  FILE_EMPTY', ''],
  ['an earlier version', good.replace('v3.1.0', 'v2.2.2'), '1 apiVersion WRONG_VALUE', ''],
  [
    'another kind',
    good.replace('DataContract', 'DataContarct'),
    '2 kind UNKNOWN_VALUE',
    'Did you mean DataContract?',
  ],
  ['no kind', good.replace('kind: DataContract\n', ''), '1 kind MISSING_KEY', ''],
  ['no schema', good.replace(/schema:\n(?: .*\n)*/, ''), '1 schema MISSING_KEY', ''],
  [
    'properties that are none',
    good.replace(/properties:\n(?: {6}.*\n)*/, 'properties: 7\n'),
    '6 schema.0.properties WRONG_TYPE',
    '',
  ],
  [
    'a property without a name',
    good.replace('name: email', 'title: email'),
    '7 schema.0.properties.0.name MISSING_KEY',
    '',
  ],
  [
    'a classification of no vocabulary',
    good.replace('person.contact', 'person.contcat'),
    '8 columns.email.classification UNKNOWN_VALUE',
    'Did you mean person.contact?',
  ],
  [
    'an unknown action',
    good.replace('value: mask', 'value: maks'),
    '11 columns.email.action UNKNOWN_VALUE',
    'Did you mean mask?',
  ],
  ['a wrong option', good.replace('value: 2', 'value: 99'), '13 columns.email.keepEnd WRONG_VALUE', ''],
  [
    'an unknown option',
    good.replace('lethe.keepEnd', 'lethe.kepEnd'),
    '13 columns.email.kepEnd UNKNOWN_KEY',
    'Did you mean keepEnd?',
  ],
  [
    'a wrong option in a path',
    good.replace('to: year', 'to: yaer'),
    '20 columns.profile.paths.born.to UNKNOWN_VALUE',
    '',
  ],
  ['a wrong tier', good.replace('value: 1', 'value: 7'), '23 tier UNKNOWN_VALUE', ''],
  [
    'an unknown sink',
    good.replace('[clickhouse]', '[clickhuose]'),
    '25 sinks.0 UNKNOWN_VALUE',
    'Did you mean clickhouse?',
  ],
  [
    'an unknown field',
    good.replace('lethe.sinks', 'lethe.sniks'),
    '25 sniks UNKNOWN_KEY',
    'Did you mean sinks?',
  ],
  [
    'a table that can have no contract',
    good.replace('name: customers', 'name: cust-omers'),
    '5 table WRONG_VALUE',
    '',
  ],
  [
    'a column twice',
    good.replace('name: profile', 'name: email'),
    '14 schema.0.properties.1 DUPLICATE_KEY',
    '',
  ],
])('%s is refused with its line, its field and the reason', (_what, text, expected, hint) => {
  const found = findings(text);
  const brief = found.map(({ line, field, code }) => `${line} ${field} ${code}`);
  expect(
    brief.some((place) => place.endsWith(expected)),
    brief.join('; '),
  ).toBe(true);
  expect(found.map(({ message }) => message).join()).toContain(hint);
  for (const { file, fix } of found) expect([file, fix === '']).toEqual(['a.odcs.yaml', false]);
});

test('no finding quotes what stands at a broken place', () => {
  const secret = 'canary-hunter2-7Qz';
  for (const place of ['v3.1.0', 'DataContract', 'person.contact', 'value: mask', 'value: 2', 'value: 1']) {
    const found = findings(
      good.replace(place, place.startsWith('value') ? `value: ${secret}!` : `${secret}!`),
    );
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain(secret);
  }
});
