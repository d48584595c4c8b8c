import type { Inventory } from '../../erasure/inventory.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { subjectColumn } from '../../schemas/subject-columns.ts';
import { isOwn, keyedUse, type Ruled } from '../../transforms/protection.ts';
import { compileTextAction } from '../../transforms/text-action.ts';
import type { ErasureContext } from './context.ts';

/**
 * What stands in the clean rows of each table for a person, in the column that says whose a row is. Nothing where there is no such column,
 * or where it is made with the person's key and they never had one: then no row has it. To be asked while the key is there.
 */
export async function marksOf(
  { keys }: Pick<ErasureContext, 'keys'>,
  datasets: readonly Dataset[],
  { type, id }: Inventory['subject'],
): Promise<Inventory['marks']> {
  const marks: Inventory['marks'] = [];
  // Asked for once, however many tables need it.
  let found: ReturnType<typeof keys.findKeys> | undefined;
  for (const dataset of datasets) {
    const column = subjectColumn(dataset);
    if (!column) continue;
    const { table } = dataset;
    if (column.rule.action === 'keep') {
      marks.push({ table, value: id });
      continue;
    }
    const ruled: Ruled = { table, column, rule: column.rule };
    const isUnderOwnKey = isOwn(true, ruled);
    const [own] = isUnderOwnKey ? await (found ??= keys.findKeys({ type }, [id])) : [];
    if (isUnderOwnKey && !own) continue;
    const shared = isUnderOwnKey ? undefined : await keys.sharedKey(keyedUse(ruled)!);
    const act = compileTextAction(ruled, { hasSubject: true, keys: () => shared! })!;
    const value = act(id, { dataKey: own ?? undefined, names: [] });
    if (value !== undefined) marks.push({ table, value });
  }
  return marks;
}
