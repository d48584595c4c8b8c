import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type CertificateDocument,
  certificateHash,
  documentText,
  signCertificate,
} from '../../../erasure/certificate-document.ts';
import { pinnedKey, verifyCertificate, verifyCertificates } from '../../../erasure/verify-certificate.ts';
import { signingKeyOf } from '../../../keys/signing-key.ts';
import { certificateBody, certificateFiles, testSigningKey } from '../../support/certificate-fixture.ts';
import { projectText } from '../../support/project-tree.ts';

const key = testSigningKey();
const pinned = pinnedKey(key.publicKey);
const [file] = certificateFiles(1) as [string];
const document = JSON.parse(file) as CertificateDocument;
const faultOf = (text: string) => {
  const verdict = verifyCertificate(text, pinned);
  return verdict.ok ? 'none' : verdict.fault;
};

type Path = readonly (string | number)[];

/** Every place of a value that holds a text, a number or nothing. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((inner, i) => [i, inner])
    : Object.entries(value);
  return entries.flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function withValue<T>(root: T, path: Path, change: (old: unknown) => unknown): T {
  const copy = structuredClone(root);
  let at = copy as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) at = at[part] as typeof at;
  at[path.at(-1)!] = change(at[path.at(-1)!]);
  return copy;
}

/** Another value of the same kind, which the shape alone need not refuse. */
function another(old: unknown, salt: number): unknown {
  if (typeof old === 'number') return old + 1 + salt;
  if (typeof old !== 'string') return '2026-03-05T00:00:00Z';
  const at = salt % old.length;
  const digit = old[at] === '1' ? '2' : '1';
  return `${old.slice(0, at)}${digit}${old.slice(at + 1)}`;
}

describe('a certificate', () => {
  it('as it was issued is sound, with or without its last newline', () => {
    expect(verifyCertificate(file, pinned)).toEqual({
      ok: true,
      document,
      hash: certificateHash(document),
    });
    expect(faultOf(file.trimEnd())).toBe('none');
  });

  it('of which any field was changed is refused', () => {
    const paths = leaves(document);
    expect(paths.length).toBeGreaterThan(80);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(200), (path, salt) => {
        const changed = documentText(withValue(document, path, (old) => another(old, salt)));
        expect(changed).not.toBe(file);
        expect(faultOf(changed)).not.toBe('none');
      }),
      { numRuns: 1_000 },
    );
  });

  it('every field of which was changed, each by itself, is refused', () => {
    for (const path of leaves(document)) {
      const changed = documentText(withValue(document, path, (old) => another(old, 3)));
      expect(faultOf(changed), path.join('.')).not.toBe('none');
    }
  });

  it('of which any byte was changed, left out or put in is refused', () => {
    const change = fc.record({
      at: fc.nat(file.trimEnd().length - 1),
      byte: fc.integer({ min: 32, max: 126 }),
      kind: fc.constantFrom('put', 'cut', 'set'),
    });
    fc.assert(
      fc.property(change, ({ at, byte, kind }) => {
        const put = kind === 'cut' ? '' : String.fromCharCode(byte);
        const changed = file.slice(0, at) + put + file.slice(kind === 'put' ? at : at + 1);
        fc.pre(changed !== file);
        expect(faultOf(changed)).not.toBe('none');
      }),
      { numRuns: 3_000 },
    );
  });

  it('of which a list lost, doubled or exchanged an entry is refused', () => {
    for (const part of [
      'steps',
      'keys',
      'tables',
      'places',
      'retained',
      'recipients',
      'notExamined',
    ] as const) {
      const list: readonly unknown[] = document.certificate[part];
      for (const other of [list.slice(1), [...list, list[0]], list.toReversed()]) {
        if (list.length === 1 && other.length === 1) continue;
        const certificate = { ...document.certificate, [part]: other };
        expect(faultOf(documentText({ ...document, certificate })), part).toBe('signature');
      }
    }
  });

  it('says what is wrong with it', () => {
    const retold = { ...document.certificate, completedAt: '2026-03-01T09:41:12.000Z' };
    const forged = signCertificate(retold, testSigningKey('another'));
    expect(faultOf('')).toBe('shape');
    expect(faultOf('null')).toBe('shape');
    expect(faultOf(file.slice(0, 400))).toBe('shape');
    expect(faultOf(JSON.stringify(document, undefined, 2))).toBe('shape');
    expect(faultOf(documentText({ ...document, certificate: retold }))).toBe('signature');
    expect(faultOf(documentText(forged))).toBe('key');
    // One that says it is of the pinned key, and one whose own key is laid into the file.
    expect(faultOf(documentText({ ...forged, key: key.fingerprint }))).toBe('signature');
    const own = { ...forged, publicKey: testSigningKey('another').publicKey };
    expect(faultOf(documentText(own))).toBe('shape');
  });

  it('that says one thing to one reader and another to the next is refused', () => {
    const twice = file.replace('{"certificate":', '{"certificate":{},"certificate":');
    expect(JSON.parse(twice)).toEqual(document);
    expect(faultOf(twice)).toBe('shape');
    const spelt = file.replace('"shop"', String.raw`"\u0073hop"`);
    expect(JSON.parse(spelt)).toEqual(document);
    expect(faultOf(spelt)).toBe('shape');
  });

  it('is verified by another key, or none, under no circumstances', () => {
    const other = pinnedKey(testSigningKey('another').publicKey);
    expect(verifyCertificate(file, other)).toMatchObject({ ok: false, fault: 'key' });
    const secret = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n';
    const rsa = `-----BEGIN PUBLIC KEY-----\n${Buffer.alloc(40).toString('base64')}\n-----END PUBLIC KEY-----\n`;
    for (const pem of ['', key.fingerprint, secret, rsa]) {
      expect(() => pinnedKey(pem)).toThrow(expect.objectContaining({ code: 'CERTIFICATE_INVALID' }));
    }
  });
});

describe('a certificate that says what cannot be', () => {
  const signed = (changes: object) =>
    documentText(signCertificate({ ...document.certificate, ...changes }, key));
  const place = document.certificate.places[0]!;

  it.each([
    ['a second one that follows none', { number: 2 }],
    ['a first one that follows another', { previous: 'ab'.repeat(32) }],
    ['final with a key that is not', { finality: { state: 'final', at: '2026-03-03T02:00:00Z' } }],
    ['a clean place with something left', { places: [{ ...place, found: 1 }] }],
    ['a clean place nobody looked at', { places: [{ ...place, found: null }] }],
    ['a place not scanned for no reason', { places: [{ ...place, verdict: 'not scanned' }] }],
    ['a time of another zone', { completedAt: '2026-03-02T09:41:12+01:00' }],
    ['a day that is none', { completedAt: '2026-02-30T09:41:12Z' }],
    ['a field of its own', { extra: 1 }],
    ['evidence under a number', { steps: [{ ...document.certificate.steps[0]!, evidence: { 1: 1 } }] }],
    ['half a row', { steps: [{ ...document.certificate.steps[0]!, evidence: { rows: 0.5 } }] }],
  ])('is refused though it is signed: %s', (_what, changes) => {
    expect(faultOf(signed(changes))).toBe('shape');
  });
});

describe('several certificates', () => {
  const files = certificateFiles(5);
  const faults = (texts: readonly string[]) =>
    verifyCertificates(texts, pinned).map((verdict) => (verdict.ok ? '' : verdict.fault));

  it('are a chain, in whatever order they are given, and from whichever on', () => {
    expect(faults(files)).toEqual(['', '', '', '', '']);
    expect(faults(files.toReversed())).toEqual(['', '', '', '', '']);
    expect(faults(files.slice(2))).toEqual(['', '', '']);
    expect(faults([])).toEqual([]);
  });

  it('of which one is missing, twice there, or issued again by who has the key are none', () => {
    expect(faults(files.toSpliced(2, 1))).toEqual(['', '', 'chain', '']);
    expect(faults([...files, files[1]!])).toEqual(['', '', '', '', '', 'chain']);
    const { certificate } = JSON.parse(files[2]!) as CertificateDocument;
    const again = documentText(signCertificate({ ...certificate, request: 'er-other' }, key));
    expect(faults(files.with(2, again))).toEqual(['', '', '', 'chain', '']);
    expect(faults(files.with(2, files[2]!.replace('production', 'demo')))).toEqual([
      '',
      '',
      'signature',
      'chain',
      '',
    ]);
  });
});

/** As a stranger does it who has the file, the public key and openssl: the very script of docs/certificates.md. */
describe('a stranger with openssl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-certificate-'));
  const [script] = /(?<=^```sh\n# verify a certificate\n)[\s\S]*?(?=^```$)/m.exec(
    projectText('docs/certificates.md'),
  )!;
  const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const verified = (text: string, publicKey: string) => {
    writeFileSync(join(folder, 'certificate.json'), text);
    writeFileSync(join(folder, 'key.pem'), publicKey);
    const { status, stdout } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8' });
    return { status, stdout };
  };

  it.runIf(hasOpenssl)('verifies it, and finds what was changed or signed by another', () => {
    const text = documentText(
      signCertificate({ ...certificateBody({ pipeline: 'größer ☂' }), number: 1, previous: null }, key),
    );
    const sound = verified(text, key.publicKey);
    expect(sound).toMatchObject({ status: 0, stdout: expect.stringContaining('Verified Successfully') });
    const verdict = verifyCertificate(text, pinned);
    expect(sound.stdout).toContain(verdict.ok ? verdict.hash : 'not sound');
    expect(sound.stdout).toContain(key.fingerprint);
    expect(verified(text.replace('production', 'demo'), key.publicKey).status).not.toBe(0);
    const other = signingKeyOf(Buffer.alloc(32, 7));
    expect(verified(text, other.publicKey).status).not.toBe(0);
    expect(readFileSync(join(folder, 'certificate.json'), 'utf8')).toBe(text);
  });
});
