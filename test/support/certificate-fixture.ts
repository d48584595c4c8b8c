import { createHash } from 'node:crypto';
import type { CertificateBody } from '../../erasure/certificate.ts';
import { certificateHash, documentText, signCertificate } from '../../erasure/certificate-document.ts';
import { type SigningKey, signingKeyOf } from '../../keys/signing-key.ts';

/** The same key for the same name. */
export function testSigningKey(name = 'one'): SigningKey {
  return signingKeyOf(createHash('sha256').update(name).digest());
}

/** A certificate with something in every part; with what is given in place of its own. */
export function certificateBody(changes: Partial<CertificateBody> = {}): CertificateBody {
  return {
    pipeline: 'shop',
    environment: 'production',
    overrides: ['local-master-key'],
    request: 'er-2026-0001',
    commitment: 'ab'.repeat(32),
    receivedAt: '2026-03-02T09:15:00.000Z',
    deadline: '2026-04-02T09:15:00.000Z',
    suppressedAt: '2026-03-02T09:20:01.250Z',
    keyDestroyedAt: '2026-03-02T09:20:04.125001Z',
    completedAt: '2026-03-02T09:41:12.000Z',
    approvals: { needed: 1, givenAt: ['2026-03-02T09:19:30.000Z'] },
    finality: {
      state: 'provisional',
      until: '2026-03-03T02:00:00Z',
      why: 'the epoch of the key has not ended',
    },
    steps: [
      {
        step: 'checked',
        startedAt: '2026-03-02T09:19:58.000Z',
        endedAt: '2026-03-02T09:19:58.100Z',
        attempts: 1,
        evidence: {},
      },
      {
        step: 'stores-cleared',
        startedAt: '2026-03-02T09:20:10.000Z',
        endedAt: '2026-03-02T09:31:00.000Z',
        attempts: 2,
        evidence: { mutations: 2, rowsBefore: 31, rowsAfter: 0, index: 'shop.customers' },
      },
    ],
    keys: [
      {
        keyId: '5f3c1a52-9d3c-4b57-8a55-0d9d1f3d7a10',
        purpose: '',
        generations: 2,
        destroyedAt: '2026-03-02T09:20:04.125001Z',
        epoch: 61,
        finalAt: null,
      },
    ],
    tables: [
      {
        table: 'public.customers',
        records: 1,
        source: { action: 'delete', rows: 1 },
        forgotten: [
          { column: 'email', how: 'with the key' },
          { column: 'country', how: 'by deletion only' },
        ],
      },
      {
        table: 'public.orders',
        records: 30,
        source: { action: 'application', rows: 0 },
        forgotten: [{ column: 'note', how: 'with the key' }],
      },
    ],
    places: [
      {
        place: 'Elasticsearch, files of its indexes',
        asked: 58,
        found: 0,
        controls: 58,
        verdict: 'clean',
        records: 120_311,
        files: 214,
        bytes: 88_120_114,
        at: '2026-03-02T09:40:00.000Z',
      },
      {
        place: 'Kafka, segments of clean topics',
        asked: 58,
        found: 2,
        controls: 31,
        verdict: 'found',
        records: 240_001,
        files: 36,
        bytes: 30_000_000,
        at: '2026-03-02T09:40:30.000Z',
        why: 'a segment is still open',
      },
      {
        place: 'Dead letters',
        asked: 58,
        found: null,
        controls: 0,
        verdict: 'not scanned',
        records: 0,
        files: 0,
        bytes: 0,
        at: '2026-03-02T09:40:40.000Z',
        why: 'the broker did not answer',
      },
    ],
    retained: [
      {
        table: 'public.invoices',
        columns: ['total_cents', 'invoice_number'],
        rows: 12,
        basis: 'HGB §257, invoices',
        until: '2036-12-31T00:00:00Z',
      },
    ],
    recipients: [
      {
        recipient: 'billing',
        tables: ['public.customers', 'public.orders'],
        records: 31,
        toldAt: '2026-03-02T09:31:01.000Z',
        acknowledgedAt: '2026-03-02T09:35:00.000Z',
      },
      {
        recipient: 'printer',
        tables: ['public.orders'],
        records: 30,
        toldAt: '2026-03-02T09:31:01.000Z',
        acknowledgedAt: null,
      },
    ],
    notExamined: [
      {
        what: 'backups of the source database',
        why: 'they are not under this pipeline',
        until: '2026-04-01T00:00:00Z',
      },
      { what: 'copies that consumers made of clean topics', why: 'nobody here can reach them' },
    ],
    ...changes,
  };
}

/** Files of a chain of so many certificates, as they are issued. */
export function certificateFiles(count: number, key: SigningKey = testSigningKey()): string[] {
  const files: string[] = [];
  let previous: string | null = null;
  for (let number = 1; number <= count; number++) {
    const document = signCertificate(
      { ...certificateBody({ request: `er-2026-${number}` }), number, previous },
      key,
    );
    previous = certificateHash(document);
    files.push(documentText(document));
  }
  return files;
}
