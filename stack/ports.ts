import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { PartName } from './part-name.ts';
import { StackError } from './stack-error.ts';

/** Every port that a part listens on; the first five and `clickhouse` are for clients. */
export const PORT_NAMES = [
  'postgres',
  'kafka',
  'connect',
  'registry',
  'elasticsearch',
  'clickhouse',
  'kafkaController',
  'registryManagement',
  'elasticsearchTransport',
] as const;

/** Name of one port. */
export type PortName = (typeof PORT_NAMES)[number];

/** A port for every name. */
export type Ports = Readonly<Record<PortName, number>>;

/** The part that listens on a port. */
export function partOfPort(name: PortName): PartName {
  switch (name) {
    case 'kafkaController':
      return 'kafka';
    case 'registryManagement':
      return 'registry';
    case 'elasticsearchTransport':
      return 'elasticsearch';
    default:
      return name;
  }
}

/** The ports that start at a base, in the order of {@link PORT_NAMES}. */
export function portsFromBase(base: number): Ports {
  checkPort('--port-base', base);
  checkPort('--port-base', base + PORT_NAMES.length - 1);
  return Object.fromEntries(PORT_NAMES.map((name, index) => [name, base + index])) as Record<
    PortName,
    number
  >;
}

/** Reads `postgres=5433,kafka=9093`. */
export function parsePorts(text: string): Partial<Record<PortName, number>> {
  const ports: Partial<Record<PortName, number>> = {};
  for (const entry of text.split(',').map((part) => part.trim())) {
    const [name = '', number = ''] = entry.split('=');
    const known = PORT_NAMES.find((candidate) => candidate === name);
    if (known === undefined) {
      throw new StackError(
        'PORT_INVALID',
        `--ports: ${JSON.stringify(entry)} names no port`,
        `write NAME=PORT with one of ${PORT_NAMES.join(', ')}`,
      );
    }
    ports[known] = checkPort(`--ports ${known}`, /^\d+$/.test(number) ? Number(number) : Number.NaN);
  }
  const numbers = Object.values(ports);
  if (new Set(numbers).size !== numbers.length) {
    throw new StackError(
      'PORT_INVALID',
      '--ports: two parts share one port',
      'give each part a port of its own',
    );
  }
  return ports;
}

function checkPort(what: string, port: number): number {
  if (Number.isInteger(port) && port >= 1024 && port <= 65_535) return port;
  throw new StackError(
    'PORT_INVALID',
    `${what}: a port must be a whole number from 1024 to 65535`,
    'choose another port, or leave the option out to have free ones picked',
  );
}

/** Whether a server could listen on this port of the loopback interface now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

// Below the range from which systems give ports to outgoing connections, so that none of those takes a port
// of a stack that is down for a moment.
const LOWEST = 15_000;
const HIGHEST = 32_000;

/** A free port that is not in `taken`. Random, so that two stacks that start at once do not meet. */
export async function pickPort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new StackError(
    'PORT_IN_USE',
    `no free port was found between ${LOWEST} and ${HIGHEST}`,
    'end some servers, or choose ports with --ports',
  );
}
