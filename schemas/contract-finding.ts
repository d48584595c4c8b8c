import type { Finding, FindingCode } from './finding.ts';
import { withOrigin } from './house-rules/defaults.ts';
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
  const { document, origins } = loaded;
  const position = what === 'key' ? document.keyAt(path) : document.valueAt(path);
  const finding = { severity, code, file: document.file, ...position, field: path.join('.'), message, fix };
  return withOrigin(finding, origins);
}
