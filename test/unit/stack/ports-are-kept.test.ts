import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { assignPorts } from '../../../stack/assign-ports.ts';
import { isPortFree, parsePorts, pickPort, PORT_NAMES, portsFromBase } from '../../../stack/ports.ts';
import { StackError } from '../../../stack/stack-error.ts';

const servers: Server[] = [];

/** A foreign process' port. */
async function hold(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

function listener(): { said: string[]; say(text: string): void; progress(): void; progressEnd(): void } {
  const said: string[] = [];
  return { said, say: (text) => said.push(text), progress: () => undefined, progressEnd: () => undefined };
}

const nobodyRuns = { fixed: [], wanted: {}, running: new Set<never>() };

describe('ports', () => {
  it('are all different and free when they are picked', async () => {
    const { ports, findings } = await assignPorts({ ...nobodyRuns, remembered: {} }, listener());
    expect(findings).toEqual([]);
    expect(new Set(Object.values(ports)).size).toBe(PORT_NAMES.length);
    for (const port of Object.values(ports)) expect(await isPortFree(port)).toBe(true);
  });

  it('stay what they were, so that stored connectors still find their servers', async () => {
    const first = await assignPorts({ ...nobodyRuns, remembered: {} }, listener());
    const second = await assignPorts({ ...nobodyRuns, remembered: first.ports }, listener());
    expect(second.ports).toEqual(first.ports);
    expect(second.moved).toEqual([]);
  });

  it('that a foreign process has taken are picked anew, and it is said', async () => {
    const taken = await hold();
    const { ports } = await assignPorts({ ...nobodyRuns, remembered: {} }, listener());
    const report = listener();
    const again = await assignPorts({ ...nobodyRuns, remembered: { ...ports, postgres: taken } }, report);
    expect(again.ports.postgres).not.toBe(taken);
    expect({ ...again.ports, postgres: 0 }).toEqual({ ...ports, postgres: 0 });
    expect(again.moved).toEqual(['postgres']);
    expect(report.said).toEqual([
      `port ${taken} of postgres was taken by another process; it now has ${again.ports.postgres}`,
    ]);
  });

  it('that our own running part holds are kept', async () => {
    const own = await hold();
    const { ports } = await assignPorts({ ...nobodyRuns, remembered: {} }, listener());
    const again = await assignPorts(
      { ...nobodyRuns, remembered: { ...ports, kafka: own }, running: new Set(['kafka']) },
      listener(),
    );
    expect(again.ports.kafka).toBe(own);
  });

  it.each([
    ['kafka', 'kafka'],
    ['kafkaController', 'kafka'],
  ] as const)('that a person chose and that are taken name the part: %s', async (name, part) => {
    const taken = await hold();
    const now = await assignPorts({ ...nobodyRuns, remembered: {}, wanted: { [name]: taken } }, listener());
    expect(now.findings).toMatchObject([{ code: 'PORT_IN_USE' }]);
    expect(now.findings[0]?.message).toContain(`port ${taken} of ${part}`);
    expect(now.findings[0]?.fix).toContain(`--ports ${name}=PORT`);
    const later = await assignPorts(
      { ...nobodyRuns, remembered: { [name]: taken }, fixed: [name] },
      listener(),
    );
    expect(later.findings).toMatchObject([{ code: 'PORT_IN_USE' }]);
  });

  it('of a running part cannot be changed under it', async () => {
    const own = await hold();
    const other = await pickPort(new Set());
    const { findings, ports } = await assignPorts(
      { fixed: [], remembered: { kafka: own }, wanted: { kafka: other }, running: new Set(['kafka']) },
      listener(),
    );
    expect(findings).toMatchObject([{ code: 'PORT_INVALID' }]);
    expect(ports.kafka).toBe(own);
  });
});

describe('port options', () => {
  it('give each part its own from a base', () => {
    expect(Object.values(portsFromBase(20_000))).toEqual(PORT_NAMES.map((_, index) => 20_000 + index));
  });

  it('name ports', () => {
    expect(parsePorts('postgres=5433, kafka=9093')).toEqual({ postgres: 5433, kafka: 9093 });
  });

  it.each([
    ['an unknown part', 'mysql=3306', 'mysql'],
    ['no number', 'kafka=', 'kafka'],
    ['a part of a number', 'kafka=90x', 'kafka'],
    ['a privileged port', 'kafka=80', '1024'],
    ['a port that does not exist', 'kafka=70000', '65535'],
    ['one port for two', 'kafka=9000,postgres=9000', 'share'],
  ])('refuse %s', (_, text, named) => {
    expect(() => parsePorts(text)).toThrow(StackError);
    expect(() => parsePorts(text)).toThrow(named);
  });

  it('refuse a base without room above it', () => {
    expect(() => portsFromBase(65_530)).toThrow('65535');
  });
});
