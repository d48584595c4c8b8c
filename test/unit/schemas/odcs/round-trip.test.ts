import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { columnRule } from '../../../../schemas/column-rule.ts';
import { contractShape } from '../../../../schemas/contract.ts';
import { parseContracts } from '../../../../schemas/load-contracts.ts';
import { contractText } from '../../../../schemas/odcs/contract-text.ts';
import { fromCustom, toCustom } from '../../../../schemas/odcs/custom-properties.ts';
import { fromOdcs } from '../../../../schemas/odcs/from-odcs.ts';
import { guessWord } from '../../../../connectors/suggest/guess-word.ts';
import { odcsText, toOdcs } from '../../../../schemas/odcs/to-odcs.ts';
import { contract } from '../../../support/arbitrary-contract.ts';
import { configOf } from '../../../support/contract-fixture.ts';
import { classifications } from '../../../../schemas/vocabulary.ts';
import { odcsViolations } from '../../../support/odcs-schema.ts';

test('a contract comes back from ODCS as it was, by way of both files, whatever it says', () => {
  fc.assert(
    fc.property(contract, (original) => {
      const odcs = odcsText(toOdcs(original, configOf()));
      const { contracts, findings } = fromOdcs('a.odcs.yaml', odcs, guessWord);
      expect(findings).toEqual([]);
      expect(contracts).toHaveLength(1);
      const text = contractText(contracts[0]!.contract, contracts[0]!.comments);
      const read = parseContracts([{ file: 'a.yaml', text }]);
      expect(read.findings).toEqual([]);
      // The order of fields and columns counts as well: the digest of a dataset is over this text.
      expect(JSON.stringify(read.contracts[0]!.contract)).toBe(JSON.stringify(original));
      expect(contracts[0]!.comments).toMatchObject({ fields: {}, columns: {} });
    }),
    { numRuns: 100 },
  );
}, 30_000);

test("whatever a contract says, its export is valid by the standard's own JSON Schema", () => {
  fc.assert(
    fc.property(contract, (original) => {
      expect(odcsViolations(parse(odcsText(toOdcs(original, configOf()))))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("the standard's JSON Schema can find fault", () => {
  const odcs = toOdcs(fc.sample(contract, 1)[0]!, configOf());
  expect(odcsViolations(odcs)).toEqual([]);
  expect(odcsViolations({ ...odcs, kind: 'DataProduct' })).not.toEqual([]);
  expect(odcsViolations({ ...odcs, lethe: 1 })).not.toEqual([]);
  const [schema] = odcs['schema'] as object[];
  expect(odcsViolations({ ...odcs, schema: [{ ...schema, lethe: 1 }] })).not.toEqual([]);
});

test('the contracts that are tried have every part, every action with every option and every classification', () => {
  const contracts = fc.sample(contract, { numRuns: 300, seed: 1 });
  const sorted = (names: readonly string[]) => [...new Set(names)].sort();
  expect(sorted(contracts.flatMap((one) => Object.keys(one)))).toEqual(
    sorted(Object.keys(contractShape.shape)),
  );
  const rules = contracts.flatMap(({ columns }) => Object.values(columns));
  for (const { shape } of columnRule.options) {
    const [action] = shape.action.values;
    const tried = rules.filter((rule) => rule.action === action);
    expect(sorted(tried.flatMap((rule) => Object.keys(rule))), action).toEqual(sorted(Object.keys(shape)));
  }
  expect(sorted(rules.map(({ classification }) => classification))).toEqual(sorted(classifications));
});

test('options of a rule that nobody here has heard of go through', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), (options) => {
      const others = [{ property: 'refRulesetName', value: 'x' }, { property: 'cluster' }];
      const back = fromCustom([...others, ...toCustom(options)]);
      expect(JSON.stringify(back)).toBe(JSON.stringify({ ...options }));
    }),
  );
});
