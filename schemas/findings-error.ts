import { type ErrorCode, errorCodes, LetheError } from './errors.ts';
import { type Finding, sortFindings } from './finding.ts';

/** Everything that `check` found, as one error for commands that cannot go on. */
export class FindingsError extends LetheError {
  readonly findings: readonly Finding[];

  /** `code` is for findings that are none of a server's errors: which kind of file is at fault. */
  constructor(code: 'CONFIG_INVALID' | 'CONTRACT_INVALID' | 'ODCS_INVALID', findings: readonly Finding[]) {
    const errors = sortFindings(findings).filter((finding) => finding.severity === 'error');
    const lines = errors.map((finding) => `  ${placeOf(finding)}: ${finding.message}`);
    super(
      ownCode(errors) ?? code,
      [errors.length === 1 ? '1 error' : `${errors.length} errors`, ...lines].join('\n'),
      {
        fix: errors.length === 1 ? errors[0]!.fix : wayOut(code),
      },
    );
    this.findings = sortFindings(findings);
  }
}

/** `check` knows nothing of ODCS files. */
function wayOut(code: ErrorCode): string {
  return code === 'ODCS_INVALID'
    ? errorCodes[code].action
    : 'Run `lethe check`: it tells the way out of each.';
}

/** `contracts/customers.yaml:13 columns.email.action`, as far as there is one. */
export function placeOf(finding: Pick<Finding, 'file' | 'line' | 'field'>): string {
  return `${finding.file}:${finding.line}${finding.field === '' ? '' : ` ${finding.field}`}`;
}

/** A server's own code where there is one, since it decides what to do. */
function ownCode(errors: readonly Finding[]): ErrorCode | undefined {
  const own = errors.map((finding) => finding.code).find((code) => Object.hasOwn(errorCodes, code));
  return own as ErrorCode | undefined;
}
