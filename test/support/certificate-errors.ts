import { issueCertificate } from '../../erasure/certificate-store.ts';
import { pinnedKey } from '../../erasure/verify-certificate.ts';
import { certificateBody, testSigningKey } from './certificate-fixture.ts';

/** What fails with certificates: each with the canary where a value must not be, and where a name of the form should be. */
export function certificateFailures(canary: string): readonly (() => unknown)[] {
  const issue = (changes: object) =>
    issueCertificate(
      { query: async () => ({ rows: [] }) } as never,
      testSigningKey(),
      certificateBody(changes),
    );
  const step = certificateBody().steps[0]!;
  return [
    () => pinnedKey(canary),
    () => issue({ commitment: canary }),
    () => issue({ [canary]: canary }),
    () => issue({ steps: [{ ...step, evidence: { [canary]: canary } }] }),
    () => issue({ finality: { state: canary } }),
  ];
}
