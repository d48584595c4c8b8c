import type { ClientBase } from 'pg';
import { LetheError } from '../schemas/errors.ts';
import { breakOfChain, type CertificateHead } from './certificate-chain.ts';
import {
  certificateHash,
  type CertificateSigner,
  documentText,
  signCertificate,
} from './certificate-document.ts';
import { type CertificateBody, certificateShape } from './certificate.ts';
import { placeOf } from './shape-error.ts';
import { type CertificateFault, type PinnedKey, verifyCertificate } from './verify-certificate.ts';

/** Tables of the certificates; each statement may be run again. */
export const certificateStatements = [
  'create schema if not exists lethe_erasure',
  `create table if not exists lethe_erasure.certificates (
     number int primary key,
     request text not null,
     final boolean not null,
     document text not null,
     hash bytea not null,
     issued_at timestamptz not null default clock_timestamp(),
     unique (request, final))`,
  // Against a slip of the hand; against intent there is the chain.
  `create or replace function lethe_erasure.certificates_are_append_only() returns trigger language plpgsql as
     $$ begin raise exception 'certificates are append-only'; end $$`,
  `create or replace trigger append_only before update or delete or truncate on lethe_erasure.certificates
     for each statement execute function lethe_erasure.certificates_are_append_only()`,
] as const;

/** A certificate as it stands in the store. */
export interface StoredCertificate {
  readonly number: number;
  readonly request: string;
  /** The file to hand out, to the byte. */
  readonly document: string;
  /** In hex. */
  readonly hash: string;
  readonly issuedAt: Date;
}

/** What a walk along the chain found. */
export interface CertificateCheck {
  /** How many are as they were issued, from the first on. */
  readonly certificates: number;
  /** The last of them. */
  readonly head?: CertificateHead;
  /** The first that is not, and what is wrong with it. */
  readonly broken?: { readonly number: number; readonly fault: CertificateFault; readonly why: string };
}

const page = 100;
const columns = `number, request, document, encode(hash, 'hex') as hash, issued_at as "issuedAt"`;

/**
 * Issues the certificate of a request, the next in the chain, within the caller's transaction: a provisional one, and a final one once it is
 * so. A request that has one is given that.
 * Whoever issues takes turns, so that the chain has no branches. CERTIFICATE_INVALID where the body has not the form of a certificate.
 */
export async function issueCertificate(
  client: ClientBase,
  key: CertificateSigner,
  body: CertificateBody,
): Promise<StoredCertificate> {
  await client.query(`select pg_advisory_xact_lock(hashtext('lethe_erasure.certificates'))`);
  const isFinal = body.finality.state === 'final';
  const issued = await client.query<StoredCertificate>(
    `select ${columns} from lethe_erasure.certificates where request = $1 and final = $2`,
    [body.request, isFinal],
  );
  if (issued.rows[0]) return issued.rows[0];
  const before = await certificateHead(client);
  const shaped = certificateShape.safeParse({
    ...body,
    number: (before?.number ?? 0) + 1,
    previous: before?.hash ?? null,
  });
  if (!shaped.success) {
    throw new LetheError('CERTIFICATE_INVALID', `no certificate has this form${placeOf(shaped.error)}`);
  }
  const document = signCertificate(shaped.data, key);
  const { rows } = await client.query<StoredCertificate>(
    `insert into lethe_erasure.certificates (number, request, final, document, hash)
       values ($1, $2, $3, $4, decode($5, 'hex')) returning ${columns}`,
    [shaped.data.number, body.request, isFinal, documentText(document), certificateHash(document)],
  );
  return rows[0]!;
}

/** The certificate of a request, the final one where there is one; undefined where there is none. */
export async function readCertificate(
  client: ClientBase,
  request: string,
): Promise<StoredCertificate | undefined> {
  const { rows } = await client.query<StoredCertificate>(
    `select ${columns} from lethe_erasure.certificates where request = $1 order by number desc limit 1`,
    [request],
  );
  return rows[0];
}

/** The newest certificates, the newest first. */
export async function listCertificates(client: ClientBase, count: number): Promise<StoredCertificate[]> {
  const { rows } = await client.query<StoredCertificate>(
    `select ${columns} from lethe_erasure.certificates order by number desc limit $1`,
    [count],
  );
  return rows;
}

/** The newest certificate, for an anchor outside of the key store; undefined where there is none. */
export async function certificateHead(client: ClientBase): Promise<CertificateHead | undefined> {
  const { rows } = await client.query<{ number: number; hash: string }>(
    `select number, encode(hash, 'hex') as hash from lethe_erasure.certificates order by number desc limit 1`,
  );
  return rows[0];
}

/**
 * Walks along all certificates, in pages: each as it was issued, signed with this key, in its place. `noted`: a head that was noted
 * elsewhere, which tells of a chain that was cut off, or made anew by who has the signing key.
 */
export async function checkCertificates(
  client: ClientBase,
  pinned: PinnedKey,
  noted?: CertificateHead,
): Promise<CertificateCheck> {
  let head: CertificateHead | undefined;
  const broken = (number: number, fault: CertificateFault, why: string): CertificateCheck => ({
    certificates: head?.number ?? 0,
    ...(head ? { head } : {}),
    broken: { number, fault, why },
  });
  for (;;) {
    const { rows } = await client.query<StoredCertificate>(
      `select ${columns} from lethe_erasure.certificates where number > $1 order by number limit ${page}`,
      [head?.number ?? 0],
    );
    for (const row of rows) {
      const verdict = verifyCertificate(row.document, pinned);
      if (!verdict.ok) return broken(row.number, verdict.fault, verdict.why);
      const { certificate } = verdict.document;
      if (certificate.number !== row.number || certificate.request !== row.request) {
        return broken(row.number, 'chain', 'it stands in the place of another one');
      }
      const why = breakOfChain(head, certificate);
      if (why !== undefined) return broken(row.number, 'chain', why);
      if (verdict.hash !== row.hash)
        return broken(row.number, 'chain', 'what is kept as its hash is not its hash');
      head = { number: row.number, hash: verdict.hash };
      if (noted?.number === head.number && noted.hash !== head.hash) {
        return broken(row.number, 'chain', 'it is not the one that is noted');
      }
    }
    if (rows.length < page) break;
  }
  if (noted && noted.number > (head?.number ?? 0)) {
    const next = (head?.number ?? 0) + 1;
    return broken(next, 'chain', `it was cut off: certificate ${noted.number} is noted`);
  }
  return { certificates: head?.number ?? 0, ...(head ? { head } : {}) };
}
