import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface KmsKey {
  readonly secret: Buffer;
  deletionDate?: number;
}
type Body = Record<string, unknown>;

/**
 * A server that speaks AWS KMS's JSON protocol (https://docs.aws.amazon.com/kms/latest/APIReference/) to Amazon's own client, with the
 * errors that KMS names. A key whose deletion is scheduled is out of use at once; `passTime` deletes it.
 */
export class KmsDouble {
  readonly accessKeyId = 'AKIDLETHETEST';
  isAway = false;
  /** Answers every request with an empty object. */
  saysNothing = false;
  readonly #keys = new Map<string, KmsKey>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void read(request).then((body) => {
        if (this.isAway) return void request.socket.destroy();
        const [status, answer] = this.saysNothing ? [200, {}] : this.#answer(request, body);
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(JSON.stringify(answer));
      });
    });
  }

  static async start(): Promise<KmsDouble> {
    const double = new KmsDouble();
    await new Promise<void>((done) => double.#server.listen(0, '127.0.0.1', done));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The waiting days are over. */
  passTime(): void {
    for (const [id, { deletionDate }] of this.#keys) if (deletionDate) this.#keys.delete(id);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer({ headers }: IncomingMessage, body: Body): [number, Body] {
    const signed = `AWS4-HMAC-SHA256 Credential=${this.accessKeyId}/`;
    if (!headers.authorization?.startsWith(signed)) return failed('UnrecognizedClientException');
    const operation = String(headers['x-amz-target']).replace('TrentService.', '');
    if (operation === 'CreateKey') {
      const id = randomUUID();
      this.#keys.set(id, { secret: randomBytes(32) });
      return [200, { KeyMetadata: { KeyId: id, KeyState: 'Enabled' } }];
    }
    const id = String(body['KeyId']);
    const key = this.#keys.get(id);
    if (!key) return failed('NotFoundException');
    const isPending = key.deletionDate !== undefined;
    if (operation === 'DescribeKey') {
      const state = isPending
        ? { KeyState: 'PendingDeletion', DeletionDate: key.deletionDate }
        : { KeyState: 'Enabled' };
      return [200, { KeyMetadata: { KeyId: id, ...state } }];
    }
    if (isPending) return failed('KMSInvalidStateException');
    switch (operation) {
      case 'ScheduleKeyDeletion': {
        const days = Number(body['PendingWindowInDays']);
        if (days < 7) return failed('ValidationException');
        key.deletionDate = Math.floor(Date.now() / 1_000) + days * 86_400;
        return [200, { KeyId: id, DeletionDate: key.deletionDate, KeyState: 'PendingDeletion' }];
      }
      case 'Encrypt':
        return [200, { KeyId: id, CiphertextBlob: encrypt(key, body) }];
      case 'Decrypt':
        return decrypt(key, body);
      default:
        return failed('UnknownOperationException');
    }
  }
}

function failed(name: string): [number, Body] {
  return [400, { __type: name, message: 'a message that quotes what was sent' }];
}

/** KMS binds the context as its canonical form. */
function contextOf(body: Body): Buffer {
  return Buffer.from(JSON.stringify(body['EncryptionContext'] ?? {}));
}

function encrypt({ secret }: KmsKey, body: Body): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(contextOf(body));
  const plaintext = Buffer.from(String(body['Plaintext']), 'base64');
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  );
}

function decrypt({ secret }: KmsKey, body: Body): [number, Body] {
  const blob = Buffer.from(String(body['CiphertextBlob']), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secret, blob.subarray(0, 12)).setAAD(contextOf(body));
  decipher.setAuthTag(blob.subarray(blob.length - 16));
  try {
    const plain = Buffer.concat([decipher.update(blob.subarray(12, blob.length - 16)), decipher.final()]);
    return [200, { KeyId: body['KeyId'], Plaintext: plain.toString('base64') }];
  } catch {
    return failed('InvalidCiphertextException');
  }
}

async function read(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? {} : (JSON.parse(text) as Body);
}
