import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { VerifyError } from '../verify-error.ts';

export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** Sends one SASL message and gives the broker's answer. */
export type SaslExchange = (message: Buffer) => Promise<Buffer>;

/** Logs in by PLAIN or SCRAM (RFC 5802, without channel binding). */
export async function authenticate(
  options: SaslOptions,
  exchange: SaslExchange,
  nonce = randomBytes(18).toString('base64'),
): Promise<void> {
  if (options.mechanism === 'plain') {
    await exchange(Buffer.from(`\0${options.username}\0${options.password}`));
    return;
  }
  const hash = options.mechanism === 'scram-sha-256' ? 'sha256' : 'sha512';
  const name = options.username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const clientFirst = `n=${name},r=${nonce}`;
  const serverFirst = (await exchange(Buffer.from(`n,,${clientFirst}`))).toString('utf8');
  const fields = fieldsOf(serverFirst);
  const [serverNonce, salt, rounds] = [fields.get('r'), fields.get('s'), Number(fields.get('i'))];
  if (!serverNonce?.startsWith(nonce) || !salt || !(rounds >= 4096)) throw refused();
  const final = `c=biws,r=${serverNonce}`;
  const message = `${clientFirst},${serverFirst},${final}`;
  const salted = pbkdf2Sync(
    options.password,
    Buffer.from(salt, 'base64'),
    rounds,
    hash === 'sha256' ? 32 : 64,
    hash,
  );
  const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash(hash).update(clientKey).digest(), message);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]!)).toString('base64');
  const serverFinal = fieldsOf((await exchange(Buffer.from(`${final},p=${proof}`))).toString('utf8'));
  const expected = hmac(hmac(salted, 'Server Key'), message);
  const given = Buffer.from(serverFinal.get('v') ?? '', 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
}

function fieldsOf(text: string): Map<string, string> {
  return new Map(text.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}

function refused(): VerifyError {
  return new VerifyError('SERVER_FAILED', 'the Kafka broker did not complete the SASL login');
}
