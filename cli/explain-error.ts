import { safeReason } from '../schemas/errors.ts';

interface Explained {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/**
 * Text of an error for stderr: one with a code and a fix is explained by them; anything else is a fault of the
 * product and is shown by its class and its stack, without its message: a driver's may quote values.
 */
export function explainError(error: unknown, json: boolean): string {
  if (!isExplained(error)) {
    const text = internalFault(error);
    return json
      ? `${JSON.stringify({ error: { code: 'INTERNAL', message: text } })}\n`
      : `error INTERNAL: ${text}\n`;
  }
  const { code, message, fix } = error;
  const findings = 'findings' in error ? { findings: error.findings } : {};
  if (json) return `${JSON.stringify({ error: { code, message, fix, ...findings } })}\n`;
  return `error ${code}: ${message}\nfix: ${fix}\n`;
}

function internalFault(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return [safeReason(error), ...frames].join('\n');
}

function isExplained(error: unknown): error is Explained {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    'fix' in error &&
    typeof error.fix === 'string'
  );
}
