import { assignPorts } from './assign-ports.ts';
import { cacheFolder } from './cache/cache-folder.ts';
import { installMissing, isInstalled } from './cache/component.ts';
import { type Components, stackComponents } from './cache/components.ts';
import { findJavaTool } from './java-tool.ts';
import { PART_NAMES, type PartName } from './part-name.ts';
import { postgresCache } from './parts/postgres-place.ts';
import { currentPlatform, type Platform } from './platform.ts';
import type { PortName } from './ports.ts';
import { checkDisk, checkNode, checkTools, PreflightError, unsupportedPlatform } from './preflight.ts';
import type { Reporter } from './reporter.ts';
import { newState, readState, writeState } from './stack-state.ts';

function platformHere(): Platform {
  const platform = currentPlatform();
  if (platform !== undefined) return platform;
  throw new PreflightError([unsupportedPlatform(process.platform, process.arch)]);
}

/** The components for this machine, installed or not. */
export function componentsHere(): Components {
  const cache = cacheFolder();
  return stackComponents(platformHere(), cache, postgresCache(cache));
}

/**
 * Everything before the first process is started: finds what stands in the way, all of it at once and before
 * anything is downloaded; installs what is missing; fixes ports and passwords. Answers with the parts whose
 * ports have changed.
 */
export async function prepareStack(
  dir: string,
  running: ReadonlySet<PartName>,
  wanted: Readonly<Partial<Record<PortName, number>>>,
  report: Reporter,
  signal: AbortSignal,
): Promise<readonly PartName[]> {
  const missing = Object.values(componentsHere()).filter((component) => !isInstalled(component));
  const state = readState(dir) ?? newState();
  const assigned = await assignPorts(
    { remembered: state.ports, fixed: state.fixedPorts, wanted, running },
    report,
  );
  const findings = [
    ...checkNode(process.versions.node),
    ...(running.size === PART_NAMES.length ? [] : checkTools(missing)),
    ...(await checkDisk(missing, dir)),
    ...assigned.findings,
  ];
  if (findings.length > 0) throw new PreflightError(findings);
  await installMissing(missing, {
    platform: platformHere(),
    javaBin: (tool) => findJavaTool(tool) ?? tool,
    report,
    signal,
  });
  writeState(dir, { ...state, ports: assigned.ports, fixedPorts: assigned.fixed });
  return assigned.moved;
}
