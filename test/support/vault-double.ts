import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface TransitKey {
  readonly secret: Buffer;
  deletable: boolean;
}

/**
 * A server that speaks the part of Vault's HTTP API that the transit engine is used by, with its own statuses
 * (https://developer.hashicorp.com/vault/api-docs/secret/transit): 403 without the token, 503 while sealed, 404 for a key that is not
 * there, 400 for a ciphertext that does not open and for the deletion of a key that is not deletable. As Vault does, it makes a key
 * that it is to encrypt with and does not have.
 */
export class VaultDouble {
  readonly token = randomBytes(12).toString('hex');
  sealed = false;
  readonly #keys = new Map<string, TransitKey>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void read(request).then((body) => {
        const [status, answer] = this.#answer(request, body);
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(answer === undefined ? '' : JSON.stringify(answer));
      });
    });
  }

  static async start(): Promise<VaultDouble> {
    const double = new VaultDouble();
    await new Promise<void>((done) => double.#server.listen(0, '127.0.0.1', done));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer({ method, url, headers }: IncomingMessage, body: Record<string, string>): [number, unknown?] {
    if (this.sealed) return [503, { errors: ['Vault is sealed'] }];
    if (headers['x-vault-token'] !== this.token) return [403, { errors: ['permission denied'] }];
    const match = /^\/v1\/transit\/(keys|encrypt|decrypt)\/([\w-]+)(\/config)?$/.exec(url ?? '');
    if (!match) return [404, { errors: [] }];
    const [, part, name, config] = match as unknown as [string, string, string, string | undefined];
    const key = this.#keys.get(name);
    const context = Buffer.from(body['associated_data'] ?? '', 'base64');
    if (part === 'encrypt') return this.#encrypt(name, Buffer.from(body['plaintext']!, 'base64'), context);
    if (part === 'decrypt') return decrypt(key, body['ciphertext']!, context);
    if (config) {
      if (!key) return [400, { errors: [`no existing key named ${name} could be found`] }];
      key.deletable = Boolean(body['deletion_allowed']);
      return [200, { data: { name } }];
    }
    if (method === 'POST') {
      if (!key) this.#make(name);
      return [200, { data: { name } }];
    }
    if (!key)
      return method === 'GET'
        ? [404, { errors: [] }]
        : [400, { errors: ['could not delete key; not found'] }];
    if (method === 'GET') return [200, { data: { name, deletion_allowed: key.deletable } }];
    if (!key.deletable) return [400, { errors: ['deletion is not allowed for this key'] }];
    this.#keys.delete(name);
    return [204];
  }

  #make(name: string): TransitKey {
    const key = { secret: randomBytes(32), deletable: false };
    this.#keys.set(name, key);
    return key;
  }

  #encrypt(name: string, plaintext: Buffer, context: Buffer): [number, unknown] {
    const { secret } = this.#keys.get(name) ?? this.#make(name);
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(context);
    const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    return [200, { data: { ciphertext: `vault:v1:${body.toString('base64')}`, key_version: 1 } }];
  }
}

function decrypt(key: TransitKey | undefined, ciphertext: string, context: Buffer): [number, unknown] {
  if (!key) return [400, { errors: ['encryption key not found'] }];
  const body = Buffer.from(ciphertext.replace(/^vault:v1:/, ''), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key.secret, body.subarray(0, 12)).setAAD(context);
  decipher.setAuthTag(body.subarray(body.length - 16));
  try {
    const plain = Buffer.concat([decipher.update(body.subarray(12, body.length - 16)), decipher.final()]);
    return [200, { data: { plaintext: plain.toString('base64') } }];
  } catch {
    return [400, { errors: ['cipher: message authentication failed'] }];
  }
}

async function read(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
}
