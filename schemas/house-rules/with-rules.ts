import { isMissingAction, type LoadedContracts } from '../load-contracts.ts';
import type { LoadedHouseRules } from './load-rules.ts';

/**
 * Contracts with what is wrong with the rules that they were read under. What the defaults would have been nobody knows until the
 * rules can be read, so that no contract is blamed for leaving an action out.
 */
export function withRules(loaded: LoadedContracts, rules: LoadedHouseRules | undefined): LoadedContracts {
  if (!rules) return loaded;
  const known = rules.house ? loaded.findings : loaded.findings.filter((f) => !isMissingAction(f));
  return { contracts: loaded.contracts, findings: [...rules.findings, ...known] };
}
