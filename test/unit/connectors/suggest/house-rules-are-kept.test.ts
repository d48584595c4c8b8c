import { expect, test } from 'vitest';
import { contractYaml } from '../../../../connectors/suggest/contract-yaml.ts';
import { keepHouseRules } from '../../../../connectors/suggest/keep-house-rules.ts';
import { checkHouseRules } from '../../../../schemas/house-rules/check-house-rules.ts';
import { parseHouseRules } from '../../../../schemas/house-rules/load-rules.ts';
import { parseContract } from '../../../../schemas/load-contracts.ts';
import { columnOf, tableOf } from '../../../support/contract-fixture.ts';
import { proposeFor } from '../../../support/suggest-fixture.ts';

const table = tableOf({
  columns: [
    columnOf('id', 'int4', { nullable: false }),
    columnOf('email', 'text'),
    columnOf('birth_date', 'date'),
    columnOf('client_ip', 'inet'),
    columnOf('price', 'numeric'),
    columnOf('note', 'text'),
  ],
});

/** What is proposed for a column under the rules, and all breaches that are left after it was written and read. */
function under(text: string) {
  const { house, findings } = parseHouseRules('rules.yaml', text);
  expect(findings).toEqual([]);
  const proposal = keepHouseRules(proposeFor(table), table, house!);
  const yaml = contractYaml(proposal, { rows: 0 });
  const { loaded, findings: faults } = parseContract({ file: 'customers.yaml', text: yaml }, house);
  expect(faults).toEqual([]);
  expect(loaded!.contract.columns).toEqual(proposal.contract.columns);
  const breaches = checkHouseRules([loaded!], house!).map(({ field }) => field);
  return { columns: proposal.contract.columns, reasons: proposal.reasons, breaches };
}

test('what breaks no rule is proposed as without rules', () => {
  const { columns, reasons, breaches } = under('rules: [{ classification: ["*"], never: [tokenise] }]\n');
  expect({ columns, reasons }).toEqual({
    columns: proposeFor(table).contract.columns,
    reasons: proposeFor(table).reasons,
  });
  expect(breaches).toEqual([]);
});

test('a column that may go to no store of the table keeps its action and goes to none', () => {
  const rules = 'rules: [{ classification: [person.contact], sinks: [] }]\n';
  const { columns, reasons, breaches } = under(rules);
  expect(columns['email']).toEqual({ classification: 'person.contact', action: 'encrypt', sinks: [] });
  expect(reasons['email']).toMatch(/; the rules of the house ask for it$/);
  expect(breaches).toEqual([]);
});

test('a column with an action that it must not have gets the default, with every option, and without one is dropped', () => {
  const rules = `defaults:
  content.free-text: { action: redact, kinds: [email, phone] }
  person.contact: { action: 'null' }
rules: [{ classification: [content.free-text, person.birth, person.contact], never: [encrypt] }]
`;
  const { columns, breaches } = under(rules);
  expect(columns['note']).toEqual({
    classification: 'content.free-text',
    action: 'redact',
    kinds: ['email', 'phone'],
  });
  expect(columns['email']).toEqual({ classification: 'person.contact', action: 'null' });
  expect(columns['birth_date']).toEqual({ classification: 'person.birth', action: 'drop' });
  expect(breaches).toEqual([]);
});

test('a default that the type of the column cannot have is not taken', () => {
  const rules = `defaults: { person.birth: { action: redact } }
rules: [{ classification: [person.birth], never: [encrypt] }]
`;
  expect(under(rules).columns['birth_date']).toEqual({ classification: 'person.birth', action: 'drop' });
});

test('a key, and what no rule can help, is left to the check to refuse', () => {
  const { columns, breaches } = under(`rules:
  - { classification: [internal, person.id], never: [keep] }
  - { classification: [person.contact], only: [hash] }
`);
  expect(columns['id']?.action).toBe('keep');
  expect(columns['email']?.action).toBe('encrypt');
  expect(columns['price']?.action).toBe('drop');
  expect(breaches).toEqual(['columns.id.action', 'columns.email.action']);
});
