import { isDeepStrictEqual } from 'node:util';
import type { Contract } from '../contract.ts';
import { sourceErasure } from '../erasure-rule.ts';
import type { Change } from './change.ts';

type ErasureChange = Omit<Change, 'table'>;

/** What differs in what becomes of a person's rows when the person is erased. What is kept longer, or more of it, exposes. */
export function erasureChanges(from: Contract, to: Contract): ErasureChange[] {
  return [...sourceChanges(from, to), ...retainChanges(from, to), ...startChanges(from, to)];
}

function sourceChanges(from: Contract, to: Contract): ErasureChange[] {
  const [was, is] = [from, to].map(sourceText) as [string, string];
  if (was === is) return [];
  const sentence = `when a person is erased, the rows at the source are now ${is} (was ${was})`;
  return [{ severity: 'changes', from: was, to: is, sentence }];
}

function sourceText(contract: Contract): string {
  const source = sourceErasure(contract);
  if (source === 'delete') return 'deleted';
  const columns = contract.erasure?.columns ?? [];
  return source === 'null' ? `kept with ${columns.join(', ')} set to null` : 'left to the application';
}

function retainChanges(from: Contract, to: Contract): ErasureChange[] {
  const [before, after] = [from.erasure?.retain, to.erasure?.retain];
  if (isDeepStrictEqual(before, after)) return [];
  const text = (retain: typeof before): string | null =>
    retain ? `${retain.columns.join(', ')} for ${retain.for}` : null;
  const [was, is] = [text(before), text(after)];
  const told = { from: was, to: is };
  if (!after) {
    const sentence = `nothing is kept of a person who is erased (was ${was})`;
    return [{ severity: 'protects', ...told, sentence }];
  }
  if (was === is) {
    return [{ severity: 'changes', ...told, sentence: `the reason for which ${is} is kept changes` }];
  }
  const isMore =
    !before ||
    after.columns.some((column) => !before.columns.includes(column)) ||
    days(after.for) > days(before.for);
  const sentence = `when a person is erased, ${is} is kept (was ${was ?? 'nothing'})`;
  return [{ severity: isMore ? 'exposes' : 'protects', ...told, sentence }];
}

/** Of a calendar period, to compare it with another. */
function days(period: string): number {
  const unit = { y: 365.25, m: 30.4375, d: 1 }[period.at(-1) as 'y' | 'm' | 'd'];
  return Number(period.slice(0, -1)) * unit;
}

function startChanges(from: Contract, to: Contract): ErasureChange[] {
  const [was, is] = [from, to].map(({ erasure }) => erasure?.starts ?? false) as [boolean, boolean];
  if (was === is) return [];
  const sentence = `a delete of the person's own row ${is ? 'now' : 'no longer'} starts an erasure`;
  return [{ severity: 'changes', from: `starts ${was}`, to: `starts ${is}`, sentence }];
}
