import { isDeepStrictEqual } from 'node:util';
import type { ColumnRule } from '../column-rule.ts';
import type { Contract } from '../contract.ts';
import type { Change } from './change.ts';

type SinkChange = Pick<Change, 'severity' | 'from' | 'to' | 'sentence'>;

/** What differs in which stores get a column, and whether it can be searched by. Stores of the whole contract are told with it. */
export function columnSinkChanges(
  column: string,
  [before, from]: readonly [Contract, ColumnRule],
  [after, to]: readonly [Contract, ColumnRule],
): SinkChange[] {
  const changes: SinkChange[] = [];
  if (!isDeepStrictEqual(from.sinks, to.sinks)) {
    const was = before.sinks.filter((sink) => from.sinks?.includes(sink) ?? true);
    const is = after.sinks.filter((sink) => to.sinks?.includes(sink) ?? true);
    const told = { from: was.join(', ') || null, to: is.join(', ') || null };
    const come = is.filter((sink) => !was.includes(sink));
    const gone = was.filter((sink) => !is.includes(sink));
    if (come.length > 0) {
      changes.push({
        severity: 'exposes',
        ...told,
        sentence: `${column} now also reaches ${come.join(', ')}`,
      });
    }
    if (gone.length > 0) {
      const sentence = `${column} no longer reaches ${gone.join(', ')}`;
      changes.push({ severity: 'protects', ...told, sentence });
    }
  }
  const [could, can] = [from.searchable ?? true, to.searchable ?? true];
  if (could !== can) {
    const sentence = `${column} can ${can ? 'now' : 'no longer'} be searched by in Elasticsearch`;
    changes.push({ severity: 'changes', from: `searchable ${could}`, to: `searchable ${can}`, sentence });
  }
  return changes;
}
