import { setMaxListeners } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Turns what one side sends into what the other gets; called with every piece, in order. */
export type Rewrite = () => (piece: Buffer) => Buffer;

interface Weather {
  /** New connections are closed at once. */
  readonly refuses: boolean;
  /** Nothing goes through, and nobody is told. */
  readonly silent: boolean;
  /** What is sent waits so long first. */
  readonly delayMs: number;
  /** Bytes a second for each connection and direction; 0: no limit. */
  readonly bytesPerSecond: number;
}

const fair: Weather = { refuses: false, silent: false, delayMs: 0, bytesPerSecond: 0 };

/**
 * Stands before a server on loopback and spoils the line: cuts it, refuses, delays, throttles, half-closes, or lets nothing through
 * without a word. What is under way when the weather changes is subject to the new one.
 */
export class TcpProxy {
  readonly port: number;
  /** Bytes that went through, both ways. */
  bytes = 0;
  private weather = fair;
  private readonly server: Server;
  private readonly pairs = new Set<readonly [client: Socket, upstream: Socket]>();
  private changed = change();

  private constructor(server: Server) {
    this.server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** `rewrite` acts on what the server answers. */
  static async open(target: { host: string; port: number }, rewrite?: Rewrite): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new TcpProxy(server);
    server.on('connection', (client) => proxy.connect(client, target, rewrite?.()));
    return proxy;
  }

  /** Ends every connection as a crash does, with a reset; new ones are let in. */
  cut(): void {
    for (const [client, upstream] of this.pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
  }

  /** Nobody gets in, and who is in is thrown out. */
  refuse(): void {
    this.change({ refuses: true });
    this.cut();
  }

  /** Packets vanish: connections stay, and no byte arrives. */
  silence(): void {
    this.change({ silent: true });
  }

  delay(delayMs: number): void {
    this.change({ delayMs });
  }

  throttle(bytesPerSecond: number): void {
    this.change({ bytesPerSecond });
  }

  /** The server's side of every connection says goodbye while it still listens, as a server that is shut down may. */
  halfClose(): void {
    for (const [client] of this.pairs) client.end();
  }

  /** Connections that were silent go on where they were. */
  heal(): void {
    this.change(fair);
  }

  async close(): Promise<void> {
    this.change({ refuses: true });
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private change(part: Partial<Weather>): void {
    this.weather = part === fair ? fair : { ...fair, ...part };
    this.changed.abort();
    this.changed = change();
  }

  private connect(
    client: Socket,
    target: { host: string; port: number },
    rewrite: ((piece: Buffer) => Buffer) | undefined,
  ): void {
    if (this.weather.refuses) {
      client.resetAndDestroy();
      return;
    }
    const upstream = new Socket({ allowHalfOpen: true });
    upstream.setNoDelay(true);
    upstream.connect(target);
    const pair = [client, upstream] as const;
    this.pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    void this.carry(client, upstream, (piece) => piece);
    void this.carry(upstream, client, rewrite ?? ((piece) => piece));
  }

  /** One piece after the other, so that what is delayed stays in order and a slow line holds its sender back. */
  private async carry(from: Socket, to: Socket, rewrite: (piece: Buffer) => Buffer): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        await this.pass(piece.length, from);
        const sent = rewrite(piece);
        this.bytes += sent.length;
        if (sent.length > 0 && !to.write(sent)) await drained(to);
      }
      if (!to.destroyed) to.end();
    } catch {
      to.destroy();
    }
  }

  /** Resolves when the weather lets so many bytes go on. */
  private async pass(length: number, from: Socket): Promise<void> {
    for (;;) {
      const { silent, delayMs, bytesPerSecond } = this.weather;
      const changed = this.changed.signal;
      const waitMs = silent ? 2 ** 30 : delayMs + (bytesPerSecond > 0 ? (length * 1000) / bytesPerSecond : 0);
      if (waitMs === 0 || from.destroyed) return;
      const passed = await sleep(waitMs, true, { signal: changed, ref: false }).catch(() => false);
      if (passed) return;
    }
  }
}

/** Every connection may wait for it at once. */
function change(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

function drained(to: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      to.off('close', fail);
      resolve();
    };
    const fail = (): void => {
      to.off('drain', go);
      reject(new Error('closed'));
    };
    to.once('drain', go);
    to.once('close', fail);
  });
}
