import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Config } from '../../schemas/config.ts';
import { VerifyError } from '../verify-error.ts';
import { authenticate } from './sasl.ts';
import { WireReader, WireWriter } from './wire.ts';

export type KafkaOptions = Pick<Config['kafka'], 'brokers' | 'tls' | 'sasl'>;

const requestTimeoutMs = 60_000;

/**
 * One connection to one broker: requests go one after the other. Written here, and not with the client that the
 * pipeline uses, so that a fault of that client cannot hide from the comparison.
 */
export class KafkaConnection {
  readonly #socket: Socket;
  readonly #address: string;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #correlation = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: { resolve: (answer: Buffer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.#address = address;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => this.#fail());
    socket.on('close', () => this.#fail());
    socket.setTimeout(requestTimeoutMs, () => socket.destroy());
  }

  /** Connects, and logs in where the options say so. */
  static async open(address: string, options: KafkaOptions): Promise<KafkaConnection> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon);
    const port = Number(address.slice(colon + 1));
    const socket = await new Promise<Socket>((resolve, reject) => {
      const failed = (): void =>
        reject(new VerifyError('SERVER_FAILED', `Kafka at ${address} does not answer`));
      const made: Socket = options.tls
        ? connectTls({ host, port, servername: host, ...tlsOf(options.tls) }, () => resolve(made))
        : connectTcp({ host, port }, () => resolve(made));
      made.once('error', failed);
    });
    socket.setNoDelay(true);
    const connection = new KafkaConnection(socket, address);
    if (options.sasl) {
      const sasl = options.sasl;
      const handshake = new WireWriter().string(sasl.mechanism.toUpperCase()).toBuffer();
      if ((await connection.request(17, 1, handshake)).int16() !== 0) {
        throw new VerifyError('SERVER_FAILED', `Kafka at ${address} does not offer ${sasl.mechanism}`);
      }
      await authenticate(sasl, async (message) => {
        const answer = await connection.request(36, 0, new WireWriter().bytes(message).toBuffer());
        if (answer.int16() !== 0)
          throw new VerifyError('SERVER_FAILED', `Kafka at ${address} refused the login`);
        answer.string();
        return answer.bytes() ?? Buffer.alloc(0);
      });
    }
    return connection;
  }

  /** Sends a request with a classic header (version 1) and gives the answer's body; callers wait for their turn. */
  request(apiKey: number, apiVersion: number, body: Buffer): Promise<WireReader> {
    const turn = this.#turn.then(() => this.#request(apiKey, apiVersion, body));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #request(apiKey: number, apiVersion: number, body: Buffer): Promise<WireReader> {
    const correlation = ++this.#correlation;
    const header = new WireWriter()
      .int16(apiKey)
      .int16(apiVersion)
      .int32(correlation)
      .string('lethe-verify')
      .toBuffer();
    const answer = await new Promise<Buffer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#socket.destroyed) return this.#fail();
      const length = Buffer.alloc(4);
      length.writeInt32BE(header.length + body.length);
      this.#socket.write(Buffer.concat([length, header, body]));
    });
    const reader = new WireReader(answer);
    if (reader.int32() !== correlation) {
      throw new VerifyError('SERVER_FAILED', `Kafka at ${this.#address} answered out of turn`);
    }
    return reader;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < 4) return;
    let first = this.#received[0]!;
    if (first.length < 4) this.#received = [(first = Buffer.concat(this.#received))];
    const size = first.readInt32BE(0);
    if (this.#receivedBytes < size + 4) return;
    const whole = this.#received.length === 1 ? first : Buffer.concat(this.#received);
    const rest = whole.subarray(size + 4);
    this.#received = rest.length > 0 ? [rest] : [];
    this.#receivedBytes = rest.length;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(whole.subarray(4, size + 4));
  }

  #fail(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new VerifyError('SERVER_FAILED', `Kafka at ${this.#address} closed the connection`));
  }
}

function tlsOf(tls: Exclude<Config['kafka']['tls'], undefined>): object {
  if (typeof tls === 'boolean') return {};
  const { verify, ...rest } = tls;
  return { ...rest, rejectUnauthorized: verify };
}
