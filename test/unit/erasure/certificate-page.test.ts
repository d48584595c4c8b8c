import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateHtml } from '../../../erasure/certificate-html.ts';
import { deadlineText, finalityText, openPoints } from '../../../erasure/certificate-words.ts';
import type { Certificate, CertificateBody } from '../../../erasure/certificate.ts';
import { type CertificateDocument, signCertificate } from '../../../erasure/certificate-document.ts';
import { html } from '../../../erasure/html.ts';
import { certificateBody, testSigningKey } from '../../support/certificate-fixture.ts';

const certificate = (changes: Partial<CertificateBody> = {}): Certificate => ({
  ...certificateBody(changes),
  number: 1,
  previous: null,
});
const page = (changes: Partial<CertificateBody> = {}) =>
  certificateHtml(signCertificate(certificate(changes), testSigningKey()));

/** Every text of it that is not one of the format's own words, with this put before it. */
function hostile(value: unknown, put: string, name = ''): unknown {
  const own = /(?:At|deadline|until|at)$|^(?:state|verdict|action|how|environment|commitment)$/;
  if (typeof value === 'string') return own.test(name) ? value : `${put}${value}`;
  if (Array.isArray(value)) return value.map((inner) => hostile(inner, put, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hostile(inner, put, key)]));
}

describe('the page of a certificate', () => {
  it('takes no text for HTML, wherever it stands', () => {
    const put = `<script>alert("x")</script><img src=x onerror='y'>&amp;`;
    const document = hostile(signCertificate(certificate(), testSigningKey()), put) as CertificateDocument;
    const text = certificateHtml(document);
    expect(text).not.toMatch(/<script|<img/i);
    const escaped =
      '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&lt;img src=x onerror=&#39;y&#39;&gt;&amp;amp;';
    for (const word of ['er-2026-0001', 'shop', 'local-master-key', 'email', 'HGB §257, invoices', 'checked'])
      expect(text).toContain(`${escaped}${word}`);
  });

  it('shows what would turn the direction of writing, or hide', () => {
    expect(page({ pipeline: 'shop\u202Egpj.exe\u200B' })).toContain('shop[U+202E]gpj.exe[U+200B]');
  });

  it('lets no text out of the piece that it is put into', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [, inside] = /^<p title="([^"<>']*)">$/.exec(html`<p title="${text}">`.text)!;
        const back = inside!
          .replaceAll(/\[U\+([0-9A-F]{4,6})\]/g, (_all, hex: string) =>
            String.fromCodePoint(Number.parseInt(hex, 16)),
          )
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&');
        expect(back).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('has no script and takes nothing from elsewhere', () => {
    expect(page()).not.toMatch(/<script|<link|\bsrc=|\bhref=|url\(|https?:|@import/i);
    expect(page()).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it('says at its top whether it is final, and what is open', () => {
    const text = page();
    const order = [
      'Provisional until 2026-03-03',
      'Open points',
      'What was done',
      'Tables',
      'Steps',
      'Proof',
    ];
    const places = order.map((words) => text.indexOf(words));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    const keys = certificateBody().keys.map((key) => ({ ...key, finalAt: '2026-03-03T02:00:00Z' }));
    const final = { keys, finality: { state: 'final', at: '2026-03-03T02:00:00Z' } } as const;
    expect(page(final)).toContain('class="banner final"><strong>Final since 2026-03-03 02:00:00 UTC');
  });
});

describe('what is open', () => {
  const quiet = {
    overrides: [],
    places: certificateBody().places.slice(0, 1),
    retained: [],
    notExamined: [],
    tables: [
      { table: 't', records: 1, source: { action: 'delete', rows: 1 }, forgotten: [] },
    ] as CertificateBody['tables'],
  };

  it('is nothing where nothing is', () => {
    expect(openPoints(certificate(quiet))).toEqual([]);
    expect(page(quiet)).toContain('<p>None.</p>');
  });

  it('is everything that a reader must know, what is left first', () => {
    expect(openPoints(certificate())).toEqual([
      'Kafka, segments of clean topics: 2 of 58 are still there (a segment is still open).',
      'Dead letters: not scanned (the broker did not answer).',
      'public.invoices: total_cents, invoice_number of 12 rows stay, under ids drawn by lot: personal data, kept by law (HGB §257, invoices) until 2036-12-31 00:00:00 UTC.',
      'public.orders: its rows at the source are left to the application.',
      'public.customers: country: deleted here; in a copy that somebody made it is still readable.',
      'Not examined: backups of the source database (they are not under this pipeline), gone by 2026-04-01 00:00:00 UTC.',
      'Not examined: copies that consumers made of clean topics (nobody here can reach them).',
      'Taken all the same, against what production refuses: local-master-key.',
    ]);
  });

  it('is a deadline that was missed, and an environment that is not production', () => {
    const late = certificate({ ...quiet, completedAt: '2026-04-04T10:00:00Z', environment: 'demo' });
    expect(openPoints(late)).toEqual([
      'It was completed after its deadline: missed by 2 days.',
      'It was issued in an environment for demo.',
    ]);
  });

  it.each([
    ['2026-04-02T09:15:00.000Z', 'met, less than a day before it ended'],
    ['2026-04-01T09:14:00.000Z', 'met, 1 day before it ended'],
    ['2026-04-02T09:15:00.001Z', 'missed by less than a day'],
  ])('completed at %s: %s', (completedAt, words) => {
    expect(deadlineText(certificate({ completedAt }))).toBe(words);
  });

  it('is until when it is provisional, where that is known', () => {
    expect(finalityText(certificate({ finality: { state: 'provisional', why: 'x' } }))).toBe(
      'Provisional: x.',
    );
  });
});
