import { connect } from 'node:net';
import type { Admin } from 'kafkajs';
import { createKafka, kafkaError } from '../../pipeline/kafka.ts';
import type { Config } from '../../schemas/config.ts';
import { LetheError } from '../../schemas/errors.ts';
import type { WithAdmin } from './topics.ts';

const probeTimeoutMs = 3_000;

/**
 * One admin connection for a whole command; `close` ends it. A probe of the ports comes first: kafkajs' own retries, meant
 * for a running processor, would let a person wait half a minute for "does not answer".
 */
export function adminConnection(config: Pick<Config, 'name' | 'kafka'>): {
  withAdmin: WithAdmin;
  close(): Promise<void>;
} {
  let connected: Promise<Admin> | undefined;
  return {
    withAdmin: async (use) => use(await (connected ??= connectAdmin(config))),
    close: async () => {
      const admin = await connected?.catch(() => undefined);
      await admin?.disconnect();
    },
  };
}

async function connectAdmin(config: Pick<Config, 'name' | 'kafka'>): Promise<Admin> {
  await probe(config.kafka.brokers);
  const admin = createKafka(config, 'admin').admin();
  try {
    await admin.connect();
    return admin;
  } catch (cause) {
    throw kafkaError(cause);
  }
}

async function probe(brokers: readonly string[]): Promise<void> {
  const answers = await Promise.all(brokers.map(isOpen));
  if (answers.some((answer) => answer === undefined)) return;
  throw new LetheError('UNREACHABLE', `Kafka does not answer at ${brokers.join(', ')} (${answers[0]})`, {
    fix: 'Start it, or correct kafka.brokers in lethe.yaml.',
  });
}

/** Undefined if the port is open, else the reason's code. */
function isOpen(broker: string): Promise<string | undefined> {
  const colon = broker.lastIndexOf(':');
  return new Promise((resolve) => {
    const socket = connect({ host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) });
    const done = (reason?: string): void => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(probeTimeoutMs, () => {
      done('ETIMEDOUT');
    });
    socket.on('connect', () => {
      done();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      done(error.code ?? error.name);
    });
  });
}
