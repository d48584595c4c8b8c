import type { Reporter } from './reporter.ts';
import { isPortFree, partOfPort, PORT_NAMES, type PortName, type Ports, pickPort } from './ports.ts';
import type { PartName } from './part-name.ts';
import { type Finding, portInUse } from './preflight.ts';

/** What is known of ports before a start. */
export interface PortsAsked {
  readonly remembered: Readonly<Partial<Record<PortName, number>>>;
  readonly fixed: readonly PortName[];
  /** What a person asks for now; it stands above what is remembered. */
  readonly wanted: Readonly<Partial<Record<PortName, number>>>;
  /** Parts that run: their ports are theirs. */
  readonly running: ReadonlySet<PartName>;
}

/** Ports for all parts, and what stands in the way of them. */
export interface PortsAssigned {
  readonly ports: Ports;
  readonly fixed: readonly PortName[];
  readonly findings: readonly Finding[];
  /** Parts whose port is another one than before. */
  readonly moved: readonly PartName[];
}

/**
 * Keeps the remembered ports, since stored connector configurations point at them. A port that a person chose
 * and that is taken is a finding; one that was picked is picked anew, and said.
 */
export async function assignPorts(asked: PortsAsked, report: Reporter): Promise<PortsAssigned> {
  const { remembered, wanted, running } = asked;
  const fixed = new Set([...asked.fixed, ...(Object.keys(wanted) as PortName[])]);
  const taken = new Set([...Object.values(remembered), ...Object.values(wanted)]);
  const findings: Finding[] = [];
  const moved: PartName[] = [];
  const ports = {} as Record<PortName, number>;
  for (const name of PORT_NAMES) {
    const part = partOfPort(name);
    const before = remembered[name];
    const port = wanted[name] ?? before;
    if (running.has(part) && before !== undefined) {
      if (port !== before) findings.push(runsElsewhere(part, before));
      ports[name] = before;
    } else if (port !== undefined && (await isPortFree(port))) {
      ports[name] = port;
      if (before !== undefined && before !== port) moved.push(part);
    } else if (port !== undefined && fixed.has(name)) {
      findings.push(portInUse(name, port));
      ports[name] = port;
    } else {
      ports[name] = await pickPort(taken);
      taken.add(ports[name]);
      if (port !== undefined) {
        moved.push(part);
        report.say(`port ${port} of ${part} was taken by another process; it now has ${ports[name]}`);
      }
    }
  }
  return { ports, fixed: [...fixed], findings, moved };
}

function runsElsewhere(part: PartName, port: number): Finding {
  return {
    code: 'PORT_INVALID',
    message: `${part} already runs on port ${port}`,
    fix: 'stop the stack first with `lethe stack down`, then start it with the new port',
  };
}
