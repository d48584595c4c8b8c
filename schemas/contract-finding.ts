import type { Finding, FindingCode } from './finding.ts';
import type { LoadedContract } from './load-contracts.ts';
import type { FieldPath } from './source-document.ts';

/** A finding at a field of the contract; `what` says whether the key or the value is at fault. */
export function contractFinding(
  loaded: LoadedContract,
  code: FindingCode,
  path: FieldPath,
  message: string,
  fix: string,
  what: 'key' | 'value' = 'value',
  severity: Finding['severity'] = 'error',
): Finding {
  const { document } = loaded;
  const position = what === 'key' ? document.keyAt(path) : document.valueAt(path);
  return { severity, code, file: document.file, ...position, field: path.join('.'), message, fix };
}
