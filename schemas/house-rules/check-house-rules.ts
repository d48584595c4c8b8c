import type { ColumnRule, PathRule } from '../column-rule.ts';
import { contractFinding } from '../contract-finding.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { Finding } from '../finding.ts';
import type { LoadedContract } from '../load-contracts.ts';
import type { SinkName } from '../sink-name.ts';
import type { FieldPath } from '../source-document.ts';
import type { Classification } from '../vocabulary.ts';
import { type Breach, breachesOf, isFor, like } from './breach.ts';
import type { HouseRules } from './load-rules.ts';

/** Everything in the contracts that breaks a house rule, at its place in the contract and with that of the rule. */
export function checkHouseRules(contracts: readonly LoadedContract[], house: HouseRules): Finding[] {
  return contracts.flatMap((loaded) =>
    partsOf(loaded).flatMap(({ at, rule, classification, sinks }) =>
      house.rules.flatMap((houseRule, index) =>
        isFor(houseRule, classification, loaded.contract.table)
          ? breachesOf(rule, classification, sinks, houseRule).map((breach) =>
              contractFinding(
                loaded,
                'HOUSE_RULE',
                [...at, breach.limit === 'sinks' ? 'sinks' : 'action'],
                describe(breach, house, index),
                breach.fix,
              ),
            )
          : [],
      ),
    ),
  );
}

/** Defaults that break a rule of the same file, whatever the table. */
export function checkDefaults(house: HouseRules): Finding[] {
  const { document } = house;
  return Object.entries(house.defaults).flatMap(([name, rule]) =>
    house.rules.flatMap((houseRule, index) => {
      const classification = name as Classification;
      if (houseRule.tables || !isFor(houseRule, classification, '')) return [];
      const field: FieldPath = ['defaults', name];
      return breachesOf(rule as unknown as PathRule, classification, undefined, houseRule).map(
        (breach): Finding => ({
          severity: 'error',
          code: 'HOUSE_RULE',
          file: document.file,
          ...document.valueAt(field),
          field: field.join('.'),
          message: describe(breach, house, index),
          fix: breach.fix,
        }),
      );
    }),
  );
}

/** Patterns of tables that no contract is for: a rule that guards nothing, perhaps by a typing error. */
export function checkTablePatterns(contracts: readonly LoadedContract[], house: HouseRules): Finding[] {
  const tables = contracts.map(({ contract }) => contract.table);
  return house.rules.flatMap((rule, index) =>
    (rule.tables ?? []).flatMap((pattern, place): Finding[] => {
      if (tables.some((table) => like(table, pattern))) return [];
      const field: FieldPath = ['rules', index, 'tables', place];
      return [
        {
          severity: 'warning',
          code: 'HOUSE_RULE',
          file: house.document.file,
          ...house.document.valueAt(field),
          field: field.join('.'),
          message: `no contract is for ${pattern}.${didYouMean(pattern, tables)}`,
          fix: 'Correct the name, or leave it for a table that is still to come.',
        },
      ];
    }),
  );
}

/** A column, or a place within its values, with what becomes of it and where it goes. */
interface Part {
  readonly at: FieldPath;
  readonly rule: ColumnRule | PathRule;
  readonly classification: Classification;
  readonly sinks: readonly SinkName[];
}

function partsOf({ contract }: LoadedContract): Part[] {
  return Object.entries(contract.columns).flatMap(([name, rule]) => {
    const { classification } = rule;
    const sinks = rule.sinks ?? contract.sinks;
    const paths = rule.action === 'paths' ? Object.entries(rule.paths) : [];
    return [
      { at: ['columns', name], rule, classification, sinks },
      ...paths.map(([path, inner]) => ({
        at: ['columns', name, 'paths', path],
        rule: inner,
        classification: inner.classification ?? classification,
        sinks,
      })),
    ];
  });
}

/** `payment.card is never kept (PCI DSS 3.4): rules.yaml:6`. */
function describe({ message, limit }: Breach, { document, rules }: HouseRules, index: number): string {
  const because = rules[index]?.because;
  const { line } = document.keyAt(['rules', index, limit]);
  return `${message}${because === undefined ? '' : ` (${because})`}: ${document.file}:${line}`;
}
