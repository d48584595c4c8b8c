import { expect, test } from 'vitest';
import { checkTable } from '../../../../connectors/check-table.ts';
import { parseHouseRules } from '../../../../schemas/house-rules/load-rules.ts';
import { parseContracts } from '../../../../schemas/load-contracts.ts';
import { catalogOf, columnOf, tableOf } from '../../../support/contract-fixture.ts';
import { goodContract } from '../project-files.ts';
import { contractWith, project } from './house-project.ts';

const rules = `defaults:
  person.contact: { action: mask, keepEnd: 2 }
  person.birth: { action: generalise, to: year }
  person.national-id: { action: null }
`;

test('a column that gives only its classification has the default action, as if it had been written', async () => {
  const short = `  email: { classification: person.contact }
  phone: { classification: person.contact, keepEnd: 3 }
  fax: { classification: person.contact, action: drop }
  born: { classification: person.birth }
  passport: { classification: person.national-id }
  profile: { classification: internal, action: paths, paths: { born: { classification: person.birth } } }
`;
  const long = `  email: { classification: person.contact, action: mask, keepEnd: 2 }
  phone: { classification: person.contact, action: mask, keepEnd: 3 }
  fax: { classification: person.contact, action: drop }
  born: { classification: person.birth, action: generalise, to: year }
  passport: { classification: person.national-id, action: 'null' }
  profile:
    { classification: internal, action: paths, paths: { born: { classification: person.birth, action: generalise, to: year } } }
`;
  const { contracts, findings } = await project(rules, { 'a.yaml': contractWith(short) });
  expect(findings).toEqual([]);
  const written = await project(rules, { 'a.yaml': contractWith(long) });
  // The digest of a dataset is over this text.
  expect(JSON.stringify(contracts)).toBe(JSON.stringify(written.contracts));
});

test('without a default the action is missing, and the way out names the defaults', async () => {
  const text = contractWith('  name: { classification: person.name }\n');
  const { findings, brief } = await project(rules, { 'a.yaml': text });
  expect(brief).toEqual(['contracts/a.yaml:11 columns.name.action MISSING_KEY']);
  expect(findings[0]?.fix).toMatch(
    /keep, drop, null.*\. Or give its classification one under defaults in rules\.yaml\.$/,
  );
});

test('a classification that nobody knows is told instead of the missing action', async () => {
  const text = contractWith('  email: { classification: person.contcat }\n');
  const { findings, brief } = await project(rules, { 'a.yaml': text });
  expect(brief).toEqual(['contracts/a.yaml:11 columns.email.classification UNKNOWN_VALUE']);
  expect(findings[0]?.message).toContain('Did you mean person.contact?');
});

test('an option that the default does not take says where the action comes from', async () => {
  const text = contractWith('  email: { classification: person.contact, domain: mail }\n');
  const { findings, brief } = await project(rules, { 'a.yaml': text });
  expect(brief).toEqual(['contracts/a.yaml:11 columns.email.domain UNKNOWN_KEY']);
  expect(findings[0]?.message).toMatch(/\(the action comes from rules\.yaml:2\)$/);
  expect(findings[0]?.fix).toBe('Use one of: classification, sinks, searchable, action, keepStart, keepEnd.');
});

test('a default goes through the checks of an action that is written, at the column, with its origin', async () => {
  const encrypt = 'defaults: { person.contact: { action: encrypt } }\n';
  const text = contractWith('  email: { classification: person.contact }\n').replace(/subject: .*\n/, '');
  const { findings, brief } = await project(encrypt, { 'a.yaml': text });
  expect(brief).toEqual(['contracts/a.yaml:10 columns.email.action ENCRYPT_WITHOUT_SUBJECT']);
  expect(findings[0]?.message).toMatch(/whose key it encrypts with \(the action comes from rules\.yaml:1\)$/);
});

test("the default's action must fit the type of the column", () => {
  const { house } = parseHouseRules('rules.yaml', rules);
  const text = goodContract.replace('    action: encrypt\n', '');
  const { contracts } = parseContracts([{ file: 'a.yaml', text }], house);
  const table = tableOf({
    columns: [columnOf('id', 'int4', { nullable: false }), columnOf('email', 'int4')],
  });
  const finding = checkTable(contracts[0]!, catalogOf(table)).find(({ code }) => code === 'ACTION_ON_TYPE');
  expect(finding).toMatchObject({ file: 'a.yaml', line: 12, field: 'columns.email.action' });
  expect(finding?.message).toContain('(the action comes from rules.yaml:2)');
});

test('what goes into the key has no origin to tell of', () => {
  const { house } = parseHouseRules('rules.yaml', rules);
  const text = goodContract.replace('  email:', '  mail:').replace('    action: encrypt\n', '');
  const { contracts } = parseContracts([{ file: 'a.yaml', text }], house);
  const finding = checkTable(contracts[0]!, catalogOf(tableOf())).find(
    ({ code }) => code === 'COLUMN_MISSING',
  );
  expect(finding?.message).not.toContain('rules.yaml');
});
