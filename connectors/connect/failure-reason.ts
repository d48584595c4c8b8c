import type { ConnectorStatus } from './connect-client.ts';

/**
 * Class name of what made a task fail: the innermost cause, since Connect wraps what Debezium wraps. The trace's
 * texts quote values of rows and are never shown.
 */
export function failureReason(trace: string | undefined): string {
  const causes = [...(trace ?? '').matchAll(/^(?:Caused by: )?((?:[a-z]\w*\.)+[A-Z]\w*)(?=[:\s]|$)/gm)];
  const last = causes.at(-1)?.[1];
  return last === undefined ? 'unknown' : last.slice(last.lastIndexOf('.') + 1);
}

/** What failed in a connector, by the class of what it died of; undefined where nothing did. Quotes nothing of the trace. */
export function failedReason(status: ConnectorStatus | undefined): string | undefined {
  const parts = status ? [status.connector, ...status.tasks] : [];
  const failed = parts.find((part) => part.state === 'FAILED');
  return failed && failureReason(failed.trace);
}
