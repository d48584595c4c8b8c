import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type HttpAnswer, HttpService } from '../../pipeline/http-service.ts';
import type { MasterConfig } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { Destruction, MasterKeys } from './master-key.ts';

const encrypted = z.object({ data: z.object({ ciphertext: z.string().regex(/^vault:v\d+:/) }) });
const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });

/**
 * Master keys in HashiCorp Vault's transit engine, one key of its own for each epoch, never exportable
 * (https://developer.hashicorp.com/vault/api-docs/secret/transit). Deleting one is final: Vault keeps no trash, its own
 * storage's backups aside.
 */
export class VaultMasterKeys implements MasterKeys {
  readonly kind = 'vault';
  readonly #vault: HttpService;
  readonly #mount: string;

  constructor({ url, token, mount, namespace, tls }: Extract<MasterConfig, { kind: 'vault' }>) {
    const space = namespace === undefined ? {} : { 'x-vault-namespace': namespace };
    this.#vault = new HttpService('Vault', { url, tls }, { 'x-vault-token': token, ...space });
    this.#mount = `/v1/${mount}`;
  }

  async create(): Promise<string> {
    const name = `lethe-${randomBytes(8).toString('hex')}`;
    await this.#succeed('POST', `keys/${name}`, { type: 'aes256-gcm96', exportable: false });
    return name;
  }

  /** Vault makes a key that it is to encrypt with and does not have: it is asked for the key first. */
  async wrap(name: string, plaintext: Buffer, context: Buffer): Promise<Buffer> {
    if ((await this.#ask('GET', `keys/${name}`)).status === 404) throw notThere(name);
    const body = { plaintext: base64(plaintext), associated_data: base64(context) };
    const { data } = await this.#answer(encrypted, 'encrypt', name, body);
    return Buffer.from(data.ciphertext);
  }

  async unwrap(name: string, wrapped: Buffer, context: Buffer): Promise<Buffer> {
    const body = { ciphertext: wrapped.toString(), associated_data: base64(context) };
    const { data } = await this.#answer(decrypted, 'decrypt', name, body);
    return Buffer.from(data.plaintext, 'base64');
  }

  /** Vault refuses to delete a key that is not first said to be deletable, and to configure one that is not there. */
  async destroy(name: string): Promise<Destruction> {
    const found = await this.#ask('GET', `keys/${name}`);
    if (found.status !== 404) {
      await this.#succeed('POST', `keys/${name}/config`, { deletion_allowed: true });
      await this.#succeed('DELETE', `keys/${name}`);
    }
    return { state: 'destroyed' };
  }

  /** 400 is Vault's answer for a key that is not there, and for a ciphertext that does not open. */
  async #answer<T>(shape: z.ZodType<T>, operation: string, name: string, body: object): Promise<T> {
    const answer = await this.#ask('POST', `${operation}/${name}`, body);
    if (answer.status === 400 || answer.status === 404) {
      throw notThere(name);
    }
    const parsed = shape.safeParse(answer.body);
    if (answer.status !== 200 || !parsed.success) throw this.#failed(answer, operation);
    return parsed.data;
  }

  async #succeed(method: string, path: string, body?: object): Promise<void> {
    const answer = await this.#ask(method, path, body);
    if (answer.status !== 200 && answer.status !== 204) throw this.#failed(answer, `${method} of a key`);
  }

  async #ask(method: string, path: string, body?: object): Promise<HttpAnswer> {
    try {
      return await this.#vault.request(method, `${this.#mount}/${path}`, body);
    } catch (error) {
      // The processor waits for a key store that is away, and for a master key that is.
      if (!(error instanceof LetheError) || error.code !== 'UNREACHABLE') throw error;
      throw new LetheError('KEY_STORE_UNAVAILABLE', error.message, { fix: error.fix });
    }
  }

  /** 503: sealed, or a standby without its leader; 429: a standby; 5xx: what passes. */
  #failed(answer: HttpAnswer, what: string): LetheError {
    const passes = answer.status >= 500 || answer.status === 429;
    const code = passes ? 'KEY_STORE_UNAVAILABLE' : 'KEY_STORE_INVALID';
    return new LetheError(code, `Vault answers ${answer.status} to ${what}`, {
      fix: 'Unseal it, or give the token the policy of docs/keys.md.',
    });
  }
}

function notThere(name: string): LetheError {
  return new LetheError('KEY_STORE_INVALID', `Vault's key ${name} does not open this key store`, {
    fix: 'Name the Vault and the mount that this key store was made with.',
  });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
