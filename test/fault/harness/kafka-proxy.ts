import { TcpProxy } from './tcp-proxy.ts';

/**
 * A proxy before a broker that names itself in its answers (Metadata, FindCoordinator): its address is written over with the
 * proxy's, which is as long, so that clients stay behind the proxy. An address is a string and a port in four bytes, and
 * an answer is led by its length (https://kafka.apache.org/protocol). The text could stand in a record too; it does not in what
 * the tests write.
 */
export async function openKafkaProxy(host: string, port: number): Promise<TcpProxy> {
  const told = address(host, port);
  let instead: Buffer | undefined;
  const proxy = await TcpProxy.open({ host, port }, () => {
    let rest: Buffer = Buffer.alloc(0);
    return (piece) => {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const whole = wholeAnswers(bytes);
      rest = bytes.subarray(whole);
      const answers = bytes.subarray(0, whole);
      for (let at = answers.indexOf(told); at >= 0; at = answers.indexOf(told, at + told.length)) {
        instead!.copy(answers, at);
      }
      return answers;
    };
  });
  instead = address(host, proxy.port);
  return proxy;
}

function address(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(host.length + 4);
  bytes.write(host, 'latin1');
  bytes.writeInt32BE(port, host.length);
  return bytes;
}

/** Length of the answers that have come wholly; what is behind them waits for its end. */
function wholeAnswers(bytes: Buffer): number {
  let end = 0;
  while (end + 4 <= bytes.length) {
    const next = end + 4 + bytes.readInt32BE(end);
    if (next > bytes.length) break;
    end = next;
  }
  return end;
}
