import type { Certificate } from './certificate.ts';

/** The newest certificate: what is noted elsewhere against a chain whose end was cut off. */
export interface CertificateHead {
  readonly number: number;
  /** In hex. */
  readonly hash: string;
}

/** Why a certificate does not follow the one before it, or does not begin the chain where there is none; undefined where it does. */
export function breakOfChain(
  before: CertificateHead | undefined,
  { number, previous }: Pick<Certificate, 'number' | 'previous'>,
): string | undefined {
  const next = (before?.number ?? 0) + 1;
  if (number > next) return `certificate ${next} is missing before certificate ${number}`;
  if (number < next) return `certificate ${number} is there a second time`;
  if (before && previous !== before.hash) {
    return `certificate ${number} was issued after another certificate ${before.number} than the one that is there`;
  }
  return undefined;
}
