/**
 * Class name of what made a task fail: the innermost cause, since Connect wraps what Debezium wraps. The trace's
 * texts quote values of rows and are never shown.
 */
export function failureReason(trace: string | undefined): string {
  const causes = [...(trace ?? '').matchAll(/^(?:Caused by: )?((?:[a-z]\w*\.)+[A-Z]\w*)(?=[:\s]|$)/gm)];
  const last = causes.at(-1)?.[1];
  return last === undefined ? 'unknown' : last.slice(last.lastIndexOf('.') + 1);
}
