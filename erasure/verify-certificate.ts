import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { fingerprintOf } from '../keys/signing-key.ts';
import { LetheError } from '../schemas/errors.ts';
import { breakOfChain } from './certificate-chain.ts';
import {
  type CertificateDocument,
  certificateDocumentShape,
  certificateHash,
  documentText,
  signedBytes,
} from './certificate-document.ts';
import { placeOf } from './shape-error.ts';

/** The public key that whoever verifies has from elsewhere. */
export interface PinnedKey {
  readonly publicKey: KeyObject;
  readonly fingerprint: string;
}

/** What is wrong: no certificate as one is issued; signed by another key; not what was signed; not in its place among the others. */
export type CertificateFault = 'shape' | 'key' | 'signature' | 'chain';

export type CertificateVerdict =
  | { readonly ok: true; readonly document: CertificateDocument; readonly hash: string }
  | { readonly ok: false; readonly fault: CertificateFault; readonly why: string };

/** More is no certificate. */
const mostCharacters = 16 * 1024 * 1024;

/** CERTIFICATE_INVALID where the text is no Ed25519 public key in PEM. */
export function pinnedKey(pem: string): PinnedKey {
  const publicKey = parsePublicKey(pem);
  if (publicKey?.asymmetricKeyType === 'ed25519') return { publicKey, fingerprint: fingerprintOf(publicKey) };
  throw new LetheError('CERTIFICATE_INVALID', 'what is to verify is no Ed25519 public key in PEM', {
    fix: 'Give what `lethe erase certificate-key` prints, from whom you trust: never from the same hands as the certificate.',
  });
}

/** Verifies the text of a certificate's file against the pinned key, offline: no key of the file is used for anything. */
export function verifyCertificate(text: string, pinned: PinnedKey): CertificateVerdict {
  const parsed = text.length > mostCharacters ? undefined : parseJson(text);
  if (parsed === undefined) return refused('shape', 'it is no JSON');
  const shaped = certificateDocumentShape.safeParse(parsed);
  if (!shaped.success) {
    return refused('shape', `it has not the form of a certificate${placeOf(shaped.error)}`);
  }
  const document = shaped.data;
  const issued = documentText(document);
  if (text !== issued && text !== issued.trimEnd()) {
    return refused('shape', 'it was written anew: take the file as it was issued, byte for byte');
  }
  if (document.key !== pinned.fingerprint) {
    return refused('key', `it was signed with the key ${document.key}, not with ${pinned.fingerprint}`);
  }
  const signature = Buffer.from(document.signature, 'base64');
  if (!verify(null, signedBytes(document.certificate), pinned.publicKey, signature)) {
    return refused('signature', 'it is not what was signed with that key');
  }
  return { ok: true, document, hash: certificateHash(document) };
}

/**
 * The same of several, each verdict in its place, and whether they are a chain without a gap, from whichever number on: a certificate that
 * was left out, or issued a second time, breaks it.
 */
export function verifyCertificates(texts: readonly string[], pinned: PinnedKey): CertificateVerdict[] {
  const verdicts = texts.map((text) => verifyCertificate(text, pinned));
  const sound = verdicts.flatMap((verdict, at) => (verdict.ok ? [{ ...verdict, at }] : []));
  sound.sort((a, b) => numberOf(a.document) - numberOf(b.document));
  for (const [i, { document, at }] of sound.entries()) {
    const before = sound[i - 1];
    if (!before) continue;
    const why = breakOfChain({ number: numberOf(before.document), hash: before.hash }, document.certificate);
    if (why !== undefined) verdicts[at] = refused('chain', why);
  }
  return verdicts;
}

function numberOf({ certificate }: CertificateDocument): number {
  return certificate.number;
}

function refused(fault: CertificateFault, why: string): CertificateVerdict {
  return { ok: false, fault, why };
}

/** OpenSSL would take the public half of a private key, and a certificate's; neither is meant here. */
function parsePublicKey(pem: string): KeyObject | undefined {
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) return undefined;
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
