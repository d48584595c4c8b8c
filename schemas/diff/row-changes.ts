import type { Contract } from '../contract.ts';
import { wayOf } from '../lookup-path.ts';
import type { ConditionRule } from '../row-condition.ts';
import type { Change } from './change.ts';

type RowChange = Omit<Change, 'table'>;

/**
 * What differs in which rows pass. A condition that no longer holds back what it did exposes, though others may have come; of
 * conditions only columns are told and how many values they list.
 */
export function whereChanges(from: Contract, to: Contract): RowChange[] {
  const [before, after] = [from.where ?? [], to.where ?? []];
  const gone = before.filter((rule) => !after.some((other) => implies(other, rule)));
  const come = after.filter((rule) => !before.some((other) => implies(other, rule)));
  const now = (column: string): string | null => textOf(after.filter((rule) => rule.column === column));
  const was = (column: string): string | null => textOf(before.filter((rule) => rule.column === column));
  return [
    ...columnsOf(gone).map(
      (column): RowChange => ({
        severity: 'exposes',
        from: was(column),
        to: now(column),
        sentence: `other rows pass than before: ${now(column) ?? `whatever ${column} holds`} (was ${was(column)})`,
      }),
    ),
    ...columnsOf(come)
      .filter((column) => !columnsOf(gone).includes(column))
      .map(
        (column): RowChange => ({
          severity: 'protects',
          from: was(column),
          to: now(column),
          sentence: `fewer rows pass: only with ${now(column)}; the others are deleted downstream`,
        }),
      ),
  ];
}

/** What differs in whose rows pass. */
export function consentChanges({ consent: from }: Contract, { consent: to }: Contract): RowChange[] {
  const text = (consent: Contract['consent']): string | null =>
    consent ? `consent to ${consent.purpose} by ${wayOf(consent)}` : null;
  const told = { from: text(from), to: text(to) };
  if (!from) {
    return to
      ? [{ severity: 'protects', ...told, sentence: `rows of people pass only with ${told.to}` }]
      : [];
  }
  if (!to) {
    return [{ severity: 'exposes', ...told, sentence: `rows of people pass without ${told.from}` }];
  }
  const [before, after] = [from, to].map((consent) => ({ column: wayOf(consent), in: consent.granted }));
  const changes: RowChange[] = [];
  if (!implies(after!, before!)) {
    const sentence = `rows of people pass who had not given ${told.from}: what means yes is another column or more values`;
    changes.push({ severity: 'exposes', ...told, sentence });
  } else if (!implies(before!, after!)) {
    changes.push({ severity: 'protects', ...told, sentence: `fewer values of ${wayOf(to)} mean yes` });
  }
  if (from.purpose !== to.purpose) {
    changes.push({
      severity: 'changes',
      ...told,
      sentence: `the purpose is ${to.purpose} (was ${from.purpose})`,
    });
  }
  return changes;
}

/** Does every row of which `rule` holds also fulfil `other`? null is in no list and outside of none. */
function implies(rule: ConditionRule, other: ConditionRule): boolean {
  if (rule.column !== other.column) return false;
  if ('is' in other) return 'is' in rule ? rule.is === other.is : other.is === 'present';
  if ('is' in rule) return false;
  if ('in' in rule) {
    const listed = new Set(('in' in other ? other.in : other.notIn).map(String));
    return rule.in.every((value) => listed.has(String(value)) === 'in' in other);
  }
  const outside = new Set(rule.notIn.map(String));
  return 'notIn' in other && other.notIn.every((value) => outside.has(String(value)));
}

function columnsOf(rules: readonly ConditionRule[]): string[] {
  return [...new Set(rules.map(({ column }) => column))];
}

function textOf(rules: readonly ConditionRule[]): string | null {
  const texts = rules.map((rule) => {
    if ('is' in rule) return `${rule.column} ${rule.is}`;
    const [word, values] = 'in' in rule ? ['one of', rule.in] : ['none of', rule.notIn];
    return `${rule.column} ${word} ${values.length} ${values.length === 1 ? 'value' : 'values'}`;
  });
  return texts.length === 0 ? null : texts.join(' and ');
}
