import { type ColumnRule, encrypts } from '../../schemas/column-rule.ts';
import type { Contract } from '../../schemas/contract.ts';
import { cleanKind, needsValue } from '../../schemas/dataset.ts';
import { breachesOf, isFor } from '../../schemas/house-rules/breach.ts';
import type { HouseRule } from '../../schemas/house-rules/rules-shape.ts';
import type { HouseRules } from '../../schemas/house-rules/load-rules.ts';
import { valueKind } from '../../schemas/value-kind.ts';
import type { CatalogTable } from '../postgres/catalog.ts';
import type { Proposal } from './propose-contract.ts';

/**
 * The proposal, with another rule for each column that would break one of the house: fewer stores, else the house's default, else
 * drop. What is in the key stays as it is, since rows are told apart by it; so does what nothing helps. The check refuses those.
 */
export function keepHouseRules(proposal: Proposal, table: CatalogTable, house: HouseRules): Proposal {
  const { contract } = proposal;
  const reasons = { ...proposal.reasons };
  const columns = Object.entries(contract.columns).map(([name, rule]) => {
    const rules = house.rules.filter((one) => isFor(one, rule.classification, contract.table));
    if (table.primaryKey.includes(name) || keeps(rule, contract, rules)) return [name, rule] as const;
    const fallback = house.defaults[rule.classification];
    const candidates = [
      rule,
      ...(fallback ? [{ classification: rule.classification, ...fallback } as ColumnRule] : []),
      { classification: rule.classification, action: 'drop' } as const,
    ];
    const found = candidates
      .filter((candidate) => fits(candidate, name, contract, table))
      .map((candidate) => inOpenStores(candidate, contract, rules))
      .find((candidate) => keeps(candidate, contract, rules));
    if (found) reasons[name] = `${reasons[name]}; the rules of the house ask for it`;
    return [name, found ?? rule] as const;
  });
  return { ...proposal, contract: { ...contract, columns: Object.fromEntries(columns) }, reasons };
}

function keeps(rule: ColumnRule, contract: Contract, rules: readonly HouseRule[]): boolean {
  const sinks = rule.sinks ?? contract.sinks;
  return rules.every((house) => breachesOf(rule, rule.classification, sinks, house).length === 0);
}

/** The rule for the stores alone that every rule of the house lets it go to. */
function inOpenStores(rule: ColumnRule, contract: Contract, rules: readonly HouseRule[]): ColumnRule {
  const open = contract.sinks.filter((sink) => rules.every(({ sinks }) => sinks?.includes(sink) !== false));
  return !needsValue(rule) || open.length === contract.sinks.length ? rule : { ...rule, sinks: open };
}

/** Can the column have the rule at all? A default is written for all columns of its kind. */
function fits(rule: ColumnRule, name: string, contract: Contract, table: CatalogTable): boolean {
  if (rule.action === 'drop') return true;
  const column = table.columns.find((candidate) => candidate.name === name);
  const kind = column && valueKind(column);
  return (
    kind !== undefined &&
    cleanKind(rule, kind) !== undefined &&
    !(encrypts(rule) && contract.subject === undefined)
  );
}
