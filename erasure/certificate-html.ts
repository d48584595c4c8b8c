import { deadlineText, finalityText, instantText, openPoints, shortInstant } from './certificate-words.ts';
import { type CertificateDocument, certificateHash } from './certificate-document.ts';
import type { Certificate } from './certificate.ts';
import { Html, html, htmlFacts, htmlTable } from './html.ts';
import { pageStyle } from './page-style.ts';

/**
 * A certificate as one page for a person: no script, nothing from elsewhere, A4 where it is printed. It shows what the file says; the page
 * itself is signed by nobody. Verify the file first.
 */
export function certificateHtml(document: CertificateDocument): string {
  const { certificate } = document;
  const title = `Certificate of erasure no. ${certificate.number}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(pageStyle)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p>Request ${certificate.request}, pipeline ${certificate.pipeline}, ${certificate.environment}. All times are UTC.</p>
</header>
<p class="banner ${certificate.finality.state}"><strong>${finalityText(certificate)}</strong></p>
${open(certificate)}
${summary(certificate)}
${tables(certificate)}
${places(certificate)}
${keys(certificate)}
${retained(certificate)}
${recipients(certificate)}
${steps(certificate)}
${proof(document)}
</body>
</html>
`;
  return page.text;
}

function open(certificate: Certificate): Html {
  const points = openPoints(certificate);
  if (points.length === 0) return section('Open points', html`<p>None.</p>`);
  return section('Open points', html`<ul>${points.map((point) => html`<li>${point}</li>`)}</ul>`);
}

function summary(certificate: Certificate): Html {
  const { receivedAt, deadline, suppressedAt, keyDestroyedAt, completedAt, commitment, approvals } =
    certificate;
  const given = approvals.givenAt.map(shortInstant).join(', ');
  return section(
    'What was done, and when',
    htmlFacts([
      ['Request received', instantText(receivedAt)],
      ['Deadline', `${instantText(deadline)}: ${deadlineText(certificate)}`],
      ...(approvals.needed === 0
        ? []
        : [[`Approved by ${approvals.needed} besides who filed it`, given] as const]),
      ['No new data taken since', instantText(suppressedAt)],
      ['Keys destroyed', instantText(keyDestroyedAt)],
      ['Completed', instantText(completedAt)],
      [
        'Person',
        html`<code>${commitment}</code><br>a commitment: it names nobody; whoever has the key store can show whose it is`,
      ],
    ]),
  );
}

const sourceWords = {
  delete: 'rows deleted',
  null: 'columns set to null',
  application: 'left to the application',
} as const;

function tables({ tables: all }: Certificate): Html {
  const columns = (how: string, { forgotten }: Certificate['tables'][number]) =>
    forgotten
      .filter((column) => column.how === how)
      .map(({ column }) => column)
      .join(', ') || '–';
  const head = [
    'Table',
    'Records',
    'At the source',
    'Rows there',
    'Forgotten with the key',
    'By deletion only',
  ];
  return section(
    'Tables',
    htmlTable(
      head,
      all.map((one) => [
        one.table,
        one.records,
        sourceWords[one.source.action],
        one.source.rows,
        columns('with the key', one),
        columns('by deletion only', one),
      ]),
    ),
  );
}

function places({ places: all }: Certificate): Html {
  const head = ['Place', 'Verdict', 'Looked for', 'Found', 'Of others', 'Records', 'Files', 'Bytes', 'At'];
  return section(
    'Places that were looked at',
    htmlTable(
      head,
      all.map(({ place, verdict, asked, found, controls, records, files, bytes, at }) => [
        place,
        html`<span class="verdict ${verdict.replace(' ', '-')}">${verdict}</span>`,
        asked,
        found ?? '–',
        controls,
        records,
        files,
        bytes,
        time(at),
      ]),
    ),
  );
}

function keys({ keys: all }: Certificate): Html {
  const head = ['Key', 'Of', 'Generations', 'Epoch', 'Destroyed', 'Gone from backups'];
  return section(
    'Keys',
    htmlTable(
      head,
      all.map(({ keyId, purpose, generations, epoch, destroyedAt, finalAt }) => [
        html`<code>${keyId}</code>`,
        purpose === '' ? 'the person' : purpose,
        generations,
        epoch,
        time(destroyedAt),
        finalAt === null ? 'not yet' : time(finalAt),
      ]),
    ),
  );
}

function retained({ retained: all }: Certificate): Html {
  if (all.length === 0) return html``;
  return section(
    'Kept by law',
    htmlTable(
      ['Table', 'Columns', 'Rows', 'Basis', 'Until'],
      all.map(({ table, columns, rows, basis, until }) => [
        table,
        columns.join(', '),
        rows,
        basis,
        until === null ? 'not known' : time(until),
      ]),
    ),
  );
}

function recipients({ recipients: all }: Certificate): Html {
  if (all.length === 0) return html``;
  return section(
    'Recipients who were told',
    htmlTable(
      ['Recipient', 'Tables', 'Records', 'Told', 'Acknowledged'],
      all.map(({ recipient, tables, records, toldAt, acknowledgedAt }) => [
        recipient,
        tables.join(', '),
        records,
        time(toldAt),
        acknowledgedAt === null ? 'not yet' : time(acknowledgedAt),
      ]),
    ),
  );
}

function steps({ steps: all }: Certificate): Html {
  return section(
    'Steps',
    htmlTable(
      ['Step', 'Began', 'Ended', 'Attempts', 'Evidence'],
      all.map(({ step, startedAt, endedAt, attempts, evidence }) => [
        step,
        time(startedAt),
        time(endedAt),
        attempts,
        Object.entries(evidence)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ') || '–',
      ]),
    ),
  );
}

function proof(document: CertificateDocument): Html {
  const { certificate, key } = document;
  return section(
    'Proof',
    html`<p>This page shows what the certificate’s file says. What is signed is the file:
<code>lethe erase verify-certificate FILE --key KEY.pem</code> verifies it, or openssl alone does, with the public key that you have from
whom you trust. These must be the same there:</p>
${htmlFacts([
  ['Hash of this certificate', html`<code>${certificateHash(document)}</code>`],
  [
    'Certificate before',
    certificate.previous === null ? 'none: it is the first' : html`<code>${certificate.previous}</code>`,
  ],
  ['Fingerprint of the key', html`<code>${key}</code>`],
])}`,
  );
}

function time(instant: string): Html {
  return html`<span class="time">${shortInstant(instant)}</span>`;
}

function section(title: string, content: Html): Html {
  return html`<section><h2>${title}</h2>
${content}</section>`;
}
