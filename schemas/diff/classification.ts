import type { ColumnRule } from '../column-rule.ts';
import type { Classification } from '../vocabulary.ts';
import type { Change } from './change.ts';

/**
 * How much a value of each kind can harm the person it speaks of, by the law's own steps: nothing personal, personal, and what GDPR
 * articles 9 and 87, the payment card industry or a login protect in particular; free text may hold any of it.
 */
const sensitivity: Readonly<Record<Classification, number>> = {
  public: 0,
  internal: 1,
  'person.id': 2,
  'person.name': 2,
  'person.contact': 2,
  'person.address': 2,
  'person.birth': 2,
  'network.address': 2,
  location: 2,
  'payment.bank': 3,
  'payment.card': 3,
  'person.national-id': 3,
  'person.health': 3,
  'content.free-text': 3,
  credential: 3,
};

type ClassificationChange = Pick<Change, 'path' | 'severity' | 'from' | 'to' | 'sentence'>;

/** Where a column, or a place within its value, is said to hold something else than before: lowered, fewer rules look at it. */
export function classificationChange(
  column: string,
  from: ColumnRule,
  to: ColumnRule,
): ClassificationChange[] {
  const [before, after] = [classesOf(from), classesOf(to)];
  return [...after].flatMap(([path, now]) => {
    const was = before.get(path);
    if (was === undefined || was === now) return [];
    const lower = sensitivity[now] < sensitivity[was];
    const name = path === '' ? column : `${column}: ${path}`;
    const way = lower ? 'is lowered' : sensitivity[now] > sensitivity[was] ? 'is raised' : 'changes';
    return [
      {
        ...(path === '' ? {} : { path }),
        severity: lower ? 'exposes' : 'changes',
        from: was,
        to: now,
        sentence: `classification of ${name} ${way} from ${was} to ${now}`,
      } as const,
    ];
  });
}

/** Classifications by path; '' is the column's own. A path has its own only where it says so. */
function classesOf(rule: ColumnRule): Map<string, Classification> {
  const own: [string, Classification][] =
    rule.action === 'paths'
      ? Object.entries(rule.paths).flatMap(([path, inner]) =>
          inner.classification === undefined
            ? []
            : [[path, inner.classification] as [string, Classification]],
        )
      : [];
  return new Map([['', rule.classification], ...own]);
}
