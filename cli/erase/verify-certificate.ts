import { Command } from 'commander';
import { finalityText, openPoints } from '../../erasure/certificate-words.ts';
import type { Certificate } from '../../erasure/certificate.ts';
import { type CertificateVerdict, pinnedKey, verifyCertificates } from '../../erasure/verify-certificate.ts';
import { textOfFile } from './text-of-file.ts';

/**
 * `lethe erase verify-certificate FILE... --key FILE`: needs no lethe.yaml, no server and no key but the one that is given: it is for whoever
 * was handed a certificate.
 */
export function verifyCertificateCommand(): Command {
  return new Command('verify-certificate')
    .description(
      'whether certificates are as they were issued, and a chain where they are several; offline; exit 1 where one is not',
    )
    .argument('<file...>', 'certificates, as they were issued')
    .requiredOption(
      '--key <file>',
      'public key in PEM, from whom you trust: `lethe erase certificate-key` prints it',
    )
    .option('--json', 'print JSON')
    .action(async (files: string[], flags: { readonly key: string; readonly json?: true }) => {
      const pinned = pinnedKey(await textOf(flags.key));
      const texts: string[] = [];
      for (const file of files) texts.push(await textOf(file));
      const verdicts = verifyCertificates(texts, pinned);
      const ok = verdicts.every((verdict) => verdict.ok);
      const certificates = verdicts.map((verdict, i) => reportOf(files[i]!, verdict));
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ ok, key: pinned.fingerprint, certificates })}\n`
          : `${certificates.map(reportText).join('')}key ${pinned.fingerprint}\n`,
      );
      if (!ok) process.exitCode = 1;
    });
}

type Report = { readonly file: string } & (
  | {
      readonly ok: true;
      readonly number: number;
      readonly request: string;
      readonly hash: string;
      readonly finality: Certificate['finality'];
      readonly said: string;
      readonly openPoints: readonly string[];
    }
  | { readonly ok: false; readonly fault: string; readonly why: string }
);

function reportOf(file: string, verdict: CertificateVerdict): Report {
  if (!verdict.ok) return { file, ok: false, fault: verdict.fault, why: verdict.why };
  const { document, hash } = verdict;
  const { certificate } = document;
  const { number, request, finality } = certificate;
  const said = finalityText(certificate);
  return { file, ok: true, number, request, hash, finality, said, openPoints: openPoints(certificate) };
}

function reportText(report: Report): string {
  if (!report.ok) return `${report.file}: NOT SOUND (${report.fault}): ${report.why}\n`;
  const { file, number, request, hash, said, openPoints: open } = report;
  const lines = [
    `${file}: sound, certificate ${number} of request ${request}`,
    `  ${said}`,
    ...open.map((point) => `  open: ${point}`),
    `  hash ${hash}`,
  ];
  // Who signs is trusted, and yet no text of a file may move a terminal's cursor.
  return lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, '?')}\n`).join('');
}

function textOf(file: string): Promise<string> {
  const fix = 'Name a file that this user can read: a certificate as it was issued, or a public key in PEM.';
  return textOfFile(file, 'CERTIFICATE_INVALID', fix);
}
