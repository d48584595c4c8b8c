import { expect, test } from 'vitest';
import { contractWith, project } from './house-project.ts';

const rules = `rules:
  - classification: [payment.card, credential]
    never: [keep]
    because: PCI DSS 3.4
  - classification: [person.health]
    only: [encrypt, drop, null]
  - classification: [location]
    sinks: []
  - classification: [payment.bank]
    sinks: [clickhouse]
  - classification: ['person.*']
    tables: ['public.*']
    mask: { mostShown: 4 }
`;

test('contracts that keep every rule have no finding', async () => {
  const columns = `  card: { classification: payment.card, action: drop }
  allergies: { classification: person.health, action: null }
  city: { classification: location, action: null }
  blood: { classification: person.health, action: drop }
  iban: { classification: payment.bank, action: drop }
  name: { classification: person.name, action: mask, keepStart: 1, keepEnd: 3 }
`;
  expect((await project(rules, { 'a.yaml': contractWith(columns) })).findings).toEqual([]);
});

test.each([
  [
    'never',
    '{ classification: payment.card, action: keep }',
    ':11 columns.x.action',
    'payment.card is never kept (PCI DSS 3.4): rules.yaml:3',
  ],
  [
    'only',
    '{ classification: person.health, action: hash }',
    ':11 columns.x.action',
    'person.health is only encrypted, dropped or emptied, not hashed: rules.yaml:6',
  ],
  [
    'no store',
    '{ classification: location, action: encrypt }',
    ':11 columns.x.sinks',
    'location goes to no store, not to elasticsearch: rules.yaml:8',
  ],
  [
    'another store',
    '{ classification: payment.bank, action: hash }',
    ':11 columns.x.sinks',
    'payment.bank goes to clickhouse alone, not to elasticsearch: rules.yaml:10',
  ],
  [
    'too much of a mask',
    '{ classification: person.name, action: mask, keepStart: 2, keepEnd: 3 }',
    ':11 columns.x.action',
    'person.name shows at most 4 characters when masked, not 5: rules.yaml:13',
  ],
])('%s is named with the line of the contract and that of the rule', async (_what, rule, place, message) => {
  const { brief, findings } = await project(rules, { 'a.yaml': contractWith(`  x: ${rule}\n`) });
  expect(brief).toEqual([`contracts/a.yaml${place} HOUSE_RULE`]);
  expect(findings[0]).toMatchObject({ severity: 'error', message });
});

test('paths are judged by their own classification, or the column’s', async () => {
  const columns = `  profile:
    classification: person.health
    action: paths
    paths:
      card: { classification: payment.card, action: keep }
      theme: { classification: internal, action: keep }
      allergies: { action: hash }
      place: { classification: location, action: keep }
`;
  const { brief } = await project(rules, { 'a.yaml': contractWith(columns) });
  expect(brief).toEqual([
    'contracts/a.yaml:15 columns.profile.paths.card.action HOUSE_RULE',
    'contracts/a.yaml:17 columns.profile.paths.allergies.action HOUSE_RULE',
    'contracts/a.yaml:18 columns.profile.paths.place.sinks HOUSE_RULE',
  ]);
});

test('a rule for other tables asks nothing of this one', async () => {
  const text = contractWith('  x: { classification: person.name, action: mask, keepStart: 9 }\n');
  const other = text.replace('public.customers', 'sales.customers');
  const { brief } = await project(rules, { 'a.yaml': text, 'b.yaml': other });
  expect(brief).toEqual(['contracts/a.yaml:11 columns.x.action HOUSE_RULE']);
});

test('an action that a default gives breaks a rule at the column, and the default itself in its file', async () => {
  const kept = `defaults:\n  payment.card: { action: keep }\n${rules}`;
  const { findings } = await project(kept, {
    'a.yaml': contractWith('  x: { classification: payment.card }\n'),
  });
  expect(findings).toMatchObject([
    { file: 'rules.yaml', line: 2, field: 'defaults.payment.card', code: 'HOUSE_RULE' },
    {
      file: 'contracts/a.yaml',
      line: 11,
      message: 'payment.card is never kept (PCI DSS 3.4): rules.yaml:5 (the action comes from rules.yaml:2)',
    },
  ]);
});

test.each([
  ['classification: [payment.crad]\n    never: [keep]', 'rules.0.classification.0', 'payment.card'],
  ['classification: ["persn.*"]\n    never: [keep]', 'rules.0.classification.0', 'person.*'],
  ['classification: [location]\n    never: [kep]', 'rules.0.never.0', 'keep'],
  ['classification: [location]\n    sinks: [clickhuose]', 'rules.0.sinks.0', 'clickhouse'],
  ['classification: [location]\n    nevr: [keep]', 'rules.0.nevr', 'never'],
])('what nobody knows is an error with what was meant: %s', async (rule, field, meant) => {
  const { findings } = await project(`rules:\n  - ${rule}\n`, { 'a.yaml': contractWith('') });
  const finding = findings.find((found) => found.field === field);
  expect(finding).toMatchObject({ severity: 'error', file: 'rules.yaml' });
  expect(finding?.message).toContain(`Did you mean ${meant}?`);
});

test.each([
  ['rules:\n  - classification: [location]\n', 'rules.yaml:2 rules.0 WRONG_VALUE'],
  ['rules:\n  - never: [keep]\n', 'rules.yaml:2 rules.0.classification MISSING_KEY'],
  ['defaults:\n  person.nmae: { action: drop }\n', 'rules.yaml:2 defaults.person.nmae UNKNOWN_KEY'],
  [
    'defaults:\n  person.name: { action: mask, kepEnd: 2 }\n',
    'rules.yaml:2 defaults.person.name.kepEnd UNKNOWN_KEY',
  ],
  [
    'defaults:\n  person.name: { classification: person.id, action: drop }\n',
    'rules.yaml:2 defaults.person.name.classification UNKNOWN_KEY',
  ],
  ['', 'rules.yaml:1  FILE_EMPTY'],
  ['rules: [\n', 'rules.yaml:2  YAML_SYNTAX'],
])('a file that cannot be taken is refused with its place: %j', async (text, expected) => {
  // The contract leans on a default; what it would be is not known, so the contract is not blamed.
  const leaning = contractWith('  x: { classification: person.name }\n');
  expect((await project(text, { 'a.yaml': leaning })).brief).toEqual([expected]);
});

test('a pattern of tables that no contract is for is a warning with what was meant', async () => {
  const text = rules.replace('public.*', 'public.custmers');
  const { findings } = await project(text, { 'a.yaml': contractWith('') });
  expect(findings).toMatchObject([
    { severity: 'warning', code: 'HOUSE_RULE', line: 12, field: 'rules.4.tables.0' },
  ]);
  expect(findings[0]?.message).toContain('Did you mean public.customers?');
});
