import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../schemas/canonical-json.ts';
import { lengthPrefixed } from '../schemas/length-prefixed.ts';
import { type Certificate, certificateFormat, certificateShape } from './certificate.ts';

const signatureBytes = 64;

export const certificateDocumentShape = z.strictObject({
  certificate: certificateShape,
  /** Fingerprint of the key that signed: it says which key to ask for, and proves nothing. */
  key: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in hex'),
  /** Ed25519 in base64, in the one spelling that its bytes have. */
  signature: z.string().refine((text) => {
    const bytes = Buffer.from(text, 'base64');
    return bytes.length === signatureBytes && bytes.toString('base64') === text;
  }, '64 bytes in base64'),
});
/** A certificate as it is handed out. */
export type CertificateDocument = z.infer<typeof certificateDocumentShape>;

/** What signs certificates; see keys/signing-key.ts. */
export interface CertificateSigner {
  readonly fingerprint: string;
  sign(bytes: Buffer): Buffer;
}

/** What is signed: the format's name and the certificate as canonical JSON, each behind its length. */
export function signedBytes(certificate: Certificate): Buffer {
  return lengthPrefixed(certificateFormat, canonicalJson(certificate));
}

export function signCertificate(certificate: Certificate, key: CertificateSigner): CertificateDocument {
  const signature = key.sign(signedBytes(certificate)).toString('base64');
  return { certificate, key: key.fingerprint, signature };
}

/** SHA-256 over what is signed and the signature, in hex: what the next certificate names as the one before it. */
export function certificateHash({ certificate, signature }: CertificateDocument): string {
  return createHash('sha256')
    .update(signedBytes(certificate))
    .update(Buffer.from(signature, 'base64'))
    .digest('hex');
}

/**
 * The file of a certificate: canonical JSON and a newline. There is one text for each certificate, so that a tool without a JSON reader can
 * cut the signed part out, and two readers of it cannot see two different things.
 */
export function documentText(document: CertificateDocument): string {
  return `${canonicalJson(document)}\n`;
}
