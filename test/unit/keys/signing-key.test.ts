import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lackingSecrets } from '../../../keys/store-secrets.ts';
import { fingerprintOf, signingKeyOf } from '../../../keys/signing-key.ts';

describe('a signing key', () => {
  it('is the Ed25519 key of its seed: the first test vector of RFC 8032', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const key = signingKeyOf(seed);
    const der = createPublicKey(key.publicKey).export({ format: 'der', type: 'spki' });
    expect(der.subarray(-32).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    expect(key.sign(Buffer.alloc(0)).toString('hex')).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  it('signs what its public key verifies, and is told by its fingerprint', () => {
    const [one, other] = [signingKeyOf(randomBytes(32)), signingKeyOf(randomBytes(32))];
    const bytes = Buffer.from('a certificate');
    expect(verify(null, bytes, one.publicKey, one.sign(bytes))).toBe(true);
    expect(verify(null, bytes, other.publicKey, one.sign(bytes))).toBe(false);
    expect(one.fingerprint).toBe(fingerprintOf(createPublicKey(one.publicKey)));
    expect(one.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });
});

describe('a key store', () => {
  const holding = (open: boolean, names: readonly string[]) =>
    lackingSecrets({ query: async () => ({ rows: [{ open, names }] }) } as never);

  it('that was made before there were certificates is given a signing key, and nothing else', async () => {
    expect(await holding(true, ['shared', 'index'])).toEqual(['signing']);
    expect(await holding(true, ['shared', 'index', 'signing'])).toEqual([]);
    expect(await holding(false, [])).toBeUndefined();
  });

  it.each([['shared'], ['index']])('that has lost its secret %s is given no other', async (lost) => {
    const names = ['shared', 'index', 'signing'].filter((name) => name !== lost);
    await expect(holding(true, names)).rejects.toMatchObject({ code: 'KEY_STORE_INVALID' });
  });
});
