import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkContracts } from '../../../../schemas/check-contract.ts';
import { parseContracts } from '../../../../schemas/load-contracts.ts';
import { contractText } from '../../../../schemas/odcs/contract-text.ts';
import { fromOdcs } from '../../../../schemas/odcs/from-odcs.ts';
import { guessWord } from '../../../../connectors/suggest/guess-word.ts';
import { configOf } from '../../../support/contract-fixture.ts';
import { projectText } from '../../../support/project-tree.ts';

const full = projectText('test/fixtures/odcs/full-example.odcs.yaml');
const read = (text: string) => fromOdcs('a.odcs.yaml', text, guessWord);

/** A file with one property; the rule that is proposed for it, and why. */
function proposed(property: Record<string, unknown>) {
  const schema = [{ name: 't', properties: [{ name: 'x', logicalType: 'string', ...property }] }];
  const { contracts, findings } = read(
    JSON.stringify({ apiVersion: 'v3.0.2', kind: 'DataContract', schema }),
  );
  expect(findings).toEqual([]);
  const [[column, rule]] = Object.entries(contracts[0]!.contract.columns) as [[string, object]];
  return { ...rule, why: contracts[0]!.comments.columns[column] };
}

test("the standard's own example becomes contracts that check has nothing against, protected in every doubt", () => {
  const { contracts, findings } = read(full);
  expect(findings).toEqual([]);
  expect(contracts.map(({ contract }) => contract)).toMatchObject([
    {
      table: 'pp_access_views.tbl_1',
      owner: 'daustin',
      tier: 1,
      sinks: [],
      staleness: '4d',
      columns: {
        txn_ref_dt: { classification: 'public', action: 'keep' },
        rcvr_id: { classification: 'person.id', action: 'hash' },
        // Public, it says; and somewhere else it is encrypted.
        rcvr_cntry_code: { action: 'drop' },
      },
    },
    {
      table: 'pp_access_views.receivers_master',
      columns: {
        id: { action: 'hash' },
        country_code: { classification: 'public', action: 'keep' },
        receiver_name: { classification: 'person.name', action: 'drop' },
      },
    },
  ]);
  const files = contracts.map((imported, index) => ({
    file: `contracts/${index}.yaml`,
    text: contractText(imported.contract, imported.comments),
  }));
  const loaded = parseContracts(files);
  expect([...loaded.findings, ...checkContracts(loaded.contracts, configOf())]).toEqual([]);
  expect(loaded.contracts.map(({ contract }) => contract)).toEqual(contracts.map(({ contract }) => contract));
  expect(files[0]!.text).toContain(
    '  # nothing says what it holds, classified public; somebody encrypts it elsewhere\n  rcvr_cntry_code:',
  );
});

test.each([
  [{ classification: 'public' }, 'public', 'keep', 'public, as its classification says'],
  [{ classification: 'Public' }, 'public', 'keep', 'public, as its classification says'],
  [
    { classification: 'internal' },
    'content.free-text',
    'drop',
    'nothing says what it holds, classified internal',
  ],
  [
    { classification: 'restricted' },
    'content.free-text',
    'drop',
    'nothing says what it holds, classified restricted',
  ],
  [{}, 'content.free-text', 'drop', 'nothing says what it holds'],
  [{ classification: 'person.health' }, 'person.health', 'drop', 'its classification says person.health'],
  [{ classification: 'phi' }, 'person.health', 'drop', 'its classification says person.health'],
  [
    { classification: 'public', tags: ['email'] },
    'person.contact',
    'hash',
    'its tag says a way to reach a person',
  ],
  [
    { classification: 'public', tags: ['PII'] },
    'content.free-text',
    'drop',
    'nothing says what it holds, classified public; tagged PII',
  ],
  [
    { classification: 'public', name: 'homePhone' },
    'person.contact',
    'hash',
    'its name says a way to reach a person',
  ],
  [
    { classification: 'public', name: 'phone', logicalType: 'number' },
    'person.contact',
    'drop',
    'its name says a way to reach a person',
  ],
  [
    { classification: 'public', encryptedName: 'x_enc' },
    'content.free-text',
    'drop',
    'nothing says what it holds, classified public; somebody encrypts it elsewhere',
  ],
  [
    { classification: 'public', logicalType: 'object' },
    'content.free-text',
    'drop',
    'nothing says what it holds, classified public; an object may hold anything',
  ],
  [{ classification: 'public', primaryKey: true }, 'public', 'keep', 'public, as its classification says'],
  [
    { classification: '4', primaryKey: true },
    'content.free-text',
    'hash',
    'nothing says what it holds, classified 4; a key has to stay: as a pseudonym',
  ],
  [{ name: 'user_password' }, 'credential', 'drop', 'its name says a credential'],
  [
    { classification: 'public', name: 'userid' },
    'person.id',
    'hash',
    'its name says what a person is known by',
  ],
  [
    { classification: 'public', name: 'CustomerRef' },
    'person.id',
    'hash',
    'its name says what a person is known by',
  ],
  [
    { classification: 'public', name: 'Geburtsdatum' },
    'person.birth',
    'drop',
    'its name says a birth or an age',
  ],
  [{ classification: 'public', name: 'name' }, 'person.name', 'drop', 'its name says a person’s name'],
  [
    { classification: 'public', name: 'purchase_price_margin' },
    'internal',
    'drop',
    'its name says what the business keeps to itself',
  ],
  [
    { name: 'x', physicalName: 'client_ip' },
    'network.address',
    'hash',
    'its name says a network address or a device',
  ],
])('%j is proposed to be %s and %s', (property, classification, action, why) => {
  expect(proposed(property)).toEqual({ classification, action, why });
});

test('nothing but what is called public, and what Lethe has written, is ever kept', () => {
  const word = fc.oneof(fc.constantFrom('public', 'internal', 'secret', 'email', 'pii'), fc.string());
  const property = fc.record(
    {
      name: fc.oneof(fc.constantFrom('email', 'code', 'born'), fc.string({ minLength: 1, maxLength: 60 })),
      classification: fc.oneof(word, fc.constant(null)),
      tags: fc.array(word, { maxLength: 3 }),
      logicalType: fc.constantFrom('string', 'object', 'integer', null),
      primaryKey: fc.boolean(),
      encryptedName: fc.oneof(fc.string(), fc.constant(null)),
    },
    { requiredKeys: ['name'] },
  );
  fc.assert(
    fc.property(
      property.filter(({ name }) => name !== '__proto__'),
      (given) => {
        const { action } = proposed(given) as unknown as { action: string };
        if (given.classification?.toLowerCase() !== 'public' || given.encryptedName)
          expect(action).not.toBe('keep');
        if (['email', 'born'].includes(given.name)) expect(action).not.toBe('keep');
        expect(given.primaryKey === true && action === 'drop').toBe(false);
      },
    ),
  );
});

test('a comment holds no line of its own that a file could smuggle in', () => {
  const why = proposed({ classification: 'level 4\n  y: { classification: public, action: keep }' }).why;
  expect(why).toBe('nothing says what it holds, classified (not a name)');
});

test.each([
  ['team: [{ username: ada, role: Data Owner }, { username: bob }]', 'ada'],
  ['team: { name: crm }', 'crm'],
  ['team: [{ username: bob, role: Analyst }]', 'bob'],
  ['team:', 'unassigned'],
])('the owner is taken from %s', (team, owner) => {
  const schema = 'schema: [{ name: t, properties: [{ name: x }] }]';
  const { contracts } = read(`apiVersion: v3.1.0\nkind: DataContract\n${schema}\n${team}\n`);
  expect(contracts[0]!.contract.owner).toBe(owner);
  expect('owner' in contracts[0]!.comments.fields).toBe(owner === 'unassigned');
});

test.each([
  ['property: latency, value: 4, unit: days', '4d'],
  ['property: Freshness, value: "15", unit: min', '15m'],
  ['property: latency, value: 1.5, unit: h', '5m'],
  // Minutes or months: nobody says.
  ['property: latency, value: 3, unit: m', '5m'],
  ['property: retention, value: 3, unit: d', '5m'],
])('the staleness is taken from { %s }', (sla, staleness) => {
  const schema = 'schema: [{ name: t, properties: [{ name: x }] }]';
  const { contracts } = read(
    `apiVersion: v3.1.0\nkind: DataContract\n${schema}\nslaProperties: [{ ${sla} }]\n`,
  );
  expect(contracts[0]!.contract.staleness).toBe(staleness);
});
