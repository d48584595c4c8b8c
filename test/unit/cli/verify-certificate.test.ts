import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { verifyCertificateCommand } from '../../../cli/erase/verify-certificate.ts';
import { certificateFiles, testSigningKey } from '../../support/certificate-fixture.ts';
import { runCommand } from '../../support/run-command.ts';

describe('lethe erase verify-certificate', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lethe-verify-'));
  const write = (name: string, content: string | Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const key = testSigningKey();
  const pem = write('key.pem', key.publicKey);
  const files = certificateFiles(3).map((text, i) => write(`${i + 1}.json`, text));
  const run = (args: readonly string[], keyFile = pem) =>
    runCommand(verifyCertificateCommand(), [...args, '--key', keyFile], {});

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('says of a sound one what it certifies, and what is open', async () => {
    const { code, out } = await run([files[0]!]);
    expect(code).toBe(0);
    expect(out).toContain('1.json: sound, certificate 1 of request er-2026-1\n');
    expect(out).toContain(
      '  Provisional until 2026-03-03 02:00:00 UTC: the epoch of the key has not ended.\n',
    );
    expect(out).toContain('  open: Dead letters: not scanned (the broker did not answer).\n');
    expect(out).toContain(`key ${key.fingerprint}\n`);
  });

  it('takes several for a chain, and exits 1 where it has a gap', async () => {
    expect(await run(files)).toMatchObject({ code: 0 });
    const { code, out } = await run([files[0]!, files[2]!, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      key: key.fingerprint,
      certificates: [
        { ok: true, number: 1, file: files[0] },
        { ok: false, fault: 'chain', why: 'certificate 2 is missing before certificate 3' },
      ],
    });
  });

  it('exits 1 for one that was changed, or signed by another, and says which', async () => {
    const changed = write('changed.json', certificateFiles(1)[0]!.replace('"rows":1', '"rows":2'));
    const forged = write('forged.json', certificateFiles(1, testSigningKey('another'))[0]!);
    expect(await run([changed])).toMatchObject({
      code: 1,
      out: expect.stringContaining('changed.json: NOT SOUND (signature): it is not what was signed'),
    });
    expect(await run([forged])).toMatchObject({
      code: 1,
      out: expect.stringContaining('forged.json: NOT SOUND (key): '),
    });
  });

  it('repeats nothing of a file that is no certificate', async () => {
    const odd = certificateFiles(1)[0]!.replace('"mutations"', String.raw`"\u001b[2Jcanary"`);
    const { code, out } = await run([write('odd.json', odd)]);
    expect(code).toBe(1);
    expect(out).toContain(
      'odd.json: NOT SOUND (shape): it has not the form of a certificate at certificate.steps.1',
    );
    expect(out).not.toContain('canary');
  });

  it('refuses what it cannot read, a key that is none, and no key', async () => {
    const bytes = write('bytes.json', Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await run([bytes])).toMatchObject({ code: 1, err: expect.stringContaining('(no UTF-8)') });
    expect(await run([join(folder, 'missing.json')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('missing.json cannot be read (ENOENT)'),
    });
    expect(await run([files[0]!], files[0])).toMatchObject({
      code: 1,
      err: expect.stringContaining('error CERTIFICATE_INVALID: what is to verify is no Ed25519 public key'),
    });
    expect(await runCommand(verifyCertificateCommand(), [files[0]!], {})).toMatchObject({ code: 2 });
    expect(await runCommand(verifyCertificateCommand(), ['--key', pem], {})).toMatchObject({ code: 2 });
  });
});
