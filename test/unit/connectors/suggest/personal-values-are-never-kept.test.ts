import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractYaml } from '../../../../connectors/suggest/contract-yaml.ts';
import { passesLuhn, passesMod97 } from '../../../../connectors/suggest/check-digits.ts';
import { columnOf, tableOf } from '../../../support/contract-fixture.ts';
import { proposeFor } from '../../../support/suggest-fixture.ts';

const decimal = Array.from({ length: 10 }, (_, i) => String(i));
const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
const digits = (min: number, max = min): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...decimal), minLength: min, maxLength: max });
const word = fc.string({
  unit: fc.constantFrom(...letters),
  minLength: 1,
  maxLength: 12,
});

const card = fc
  .tuple(fc.constantFrom('4', '51', '2221', '6011', '37'), digits(12), fc.constantFrom('', ' ', '-'))
  .map(([start, rest, gap]) => {
    const body = (start + rest).slice(0, 15);
    const check = decimal.find((digit) => passesLuhn(body + digit))!;
    return (body + check).match(/.{4}/g)!.join(gap);
  });
const iban = digits(18).map((account) => {
  const check = Array.from({ length: 98 }, (_, i) => String(i + 1).padStart(2, '0'));
  return `DE${check.find((two) => passesMod97(`DE${two}${account}`))!}${account}`;
});
const phone = fc.oneof(
  digits(9, 12).map((rest) => `+4${rest}`),
  fc.tuple(digits(3), digits(3), digits(4)).map(([area, middle, end]) => `(${area}) ${middle}-${end}`),
  digits(8, 10).map((rest) => `030 ${rest}`),
);
const email = fc
  .tuple(word, word, fc.constantFrom('org', 'de', 'co.uk'))
  .map(([a, b, c]) => `${a}@${b}.${c}`);
// With seven groups and `::` an address has as many colons as it can have.
const personal = fc.oneof(email, card, iban, phone, fc.ipV4(), fc.ipV6(), fc.constant('0:0:0:0:0:0:0::'));

const labels = Array.from({ length: 150 }, (_, i) => ['placed', 'paid', 'sent', null][i % 4]!);
const plainNames = fc.constantFrom('status', 'kind', 'x', 'col7', 'flavour', 'value', 'grind');
const textTypes = fc.constantFrom('text', 'varchar', 'jsonb', '_text', 'citext');

describe('a proposal', () => {
  it('keeps labels, so that the promise below is not an empty one', () => {
    const table = tableOf({
      table: 'public.things',
      columns: [columnOf('id', 'int4'), columnOf('status', 'text')],
    });
    expect(proposeFor(table, { values: { status: labels } }).contract.columns['status']?.action).toBe('keep');
  });

  it('never keeps a column with one personal value among its samples, nor shows it', () => {
    fc.assert(
      fc.property(
        plainNames,
        textTypes,
        personal,
        word,
        fc.boolean(),
        (name, type, value, around, ofPeople) => {
          const planted = type === 'jsonb' ? JSON.stringify({ a: { b: [value] } }) : `${around} ${value}`;
          const table = tableOf({
            table: ofPeople ? 'public.customers' : 'public.things',
            columns: [columnOf('id', 'int4', { nullable: false }), columnOf(name, type)],
          });
          const proposal = proposeFor(table, { values: { [name]: [...labels, planted, planted] } });
          expect(proposal.contract.columns[name]!.action).not.toBe('keep');
          const text = contractYaml(proposal, { rows: 200 }) + JSON.stringify(proposal);
          expect(text).not.toContain(value);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never keeps a number that is a card or a phone with its area, whatever its type', () => {
    const number = fc.oneof(
      card.map((text) => text.replaceAll(/\D/g, '')),
      digits(9, 12).map((rest) => `4${rest}`),
    );
    fc.assert(
      fc.property(number, fc.constantFrom('int8', 'numeric'), fc.boolean(), (value, type, inKey) => {
        const table = tableOf({
          table: 'public.things',
          columns: [columnOf('value', type), columnOf('id', 'int4')],
          primaryKey: inKey ? ['value'] : ['id'],
        });
        const { contract } = proposeFor(table, { values: { value: ['1', '2', value] } });
        expect(contract.columns['value']!.action).toBe(inKey ? 'hash' : 'drop');
      }),
    );
  });

  it('says counts and never a value, whatever the value is', () => {
    const canary = fc.string({ minLength: 8, maxLength: 60 }).map((text) => `zq7_canary_${text}`);
    fc.assert(
      fc.property(fc.array(canary, { minLength: 1, maxLength: 30 }), (values) => {
        const columns = [
          columnOf('id', 'text'),
          columnOf('a', 'text'),
          columnOf('b', 'jsonb'),
          columnOf('c', '_text'),
        ];
        const proposal = proposeFor(tableOf({ columns }), {
          values: { id: values, a: values, b: values, c: values },
        });
        expect(contractYaml(proposal, { rows: 30 }) + JSON.stringify(proposal)).not.toContain('zq7_canary');
      }),
    );
  });
});
