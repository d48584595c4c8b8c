import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Component } from './cache/component.ts';
import { findJavaTool, findProgram, javaMajor } from './java-tool.ts';
import { PLATFORMS } from './platform.ts';
import { partOfPort, type PortName } from './ports.ts';
import { formatBytes } from './reporter.ts';
import { StackError, type StackErrorCode } from './stack-error.ts';

/** One thing that stands in the way of a start. */
export interface Finding {
  readonly code: StackErrorCode;
  readonly message: string;
  readonly fix: string;
}

/** All that stands in the way, in one message; nothing was started or downloaded. */
export class PreflightError extends StackError {
  override readonly name = 'PreflightError';
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    const [first, ...others] = findings;
    if (first === undefined) throw new RangeError('a preflight error needs a finding');
    if (others.length === 0) super(first.code, first.message, first.fix);
    else {
      const list = findings.map(({ message, fix }) => `\n  - ${message}\n    fix: ${fix}`).join('');
      super(
        'PREFLIGHT',
        `${findings.length} things stand in the way of the stack:${list}`,
        'do what each line says',
      );
    }
    this.findings = findings;
  }
}

const JDK_FIX =
  'Debian or Ubuntu: `apt-get install openjdk-17-jdk-headless maven`; macOS: `brew install openjdk@17 maven`';

/** Whether this version of Node can run the product. */
export function checkNode(version: string): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return [];
  return [
    {
      code: 'NODE_TOO_OLD',
      message: `Node ${version} is too old: 20.19 or newer is needed`,
      fix: 'install a newer one, for example with `nvm install 24`',
    },
  ];
}

/** The answer for a system without binaries. */
export function unsupportedPlatform(os: string, cpu: string): Finding {
  return {
    code: 'PLATFORM_UNSUPPORTED',
    message: `there are no server binaries for ${os}-${cpu}; there are for ${PLATFORMS.join(', ')} (with glibc)`,
    fix: 'use one of those systems, or point lethe.yaml at servers that run elsewhere',
  };
}

/** Java to run with, and, where something must be downloaded, the tools to do that with. */
export function checkTools(missing: readonly Component[], env: NodeJS.ProcessEnv = process.env): Finding[] {
  const findings: Finding[] = [];
  const java = findJavaTool('java', env);
  const major = java === undefined ? undefined : javaMajor(java);
  if (major === undefined) {
    findings.push({
      code: 'JAVA_MISSING',
      message: 'java was not found (17 or newer is needed)',
      fix: JDK_FIX,
    });
  } else if (major < 17) {
    findings.push({
      code: 'JAVA_TOO_OLD',
      message: `${java} is Java ${major}, and 17 or newer is needed`,
      fix: `${JDK_FIX}; then set JAVA_HOME to it`,
    });
  }
  if (missing.length === 0) return findings;
  const path = env['PATH'] ?? '';
  const byMaven = missing.some((component) => component.client === 'mvn');
  if (byMaven && (findJavaTool('javac', env) === undefined || findJavaTool('jar', env) === undefined)) {
    findings.push({
      code: 'JAVAC_MISSING',
      message: 'javac and jar were not found: a full JDK is needed once, to install the servers',
      fix: JDK_FIX,
    });
  }
  if (byMaven && findProgram('mvn', path) === undefined) {
    findings.push({
      code: 'MAVEN_MISSING',
      message: 'mvn was not found: Maven is needed once, to download the servers',
      fix: JDK_FIX,
    });
  }
  if (missing.some((component) => component.client === 'npm') && findProgram('npm', path) === undefined) {
    findings.push({ code: 'NPM_MISSING', message: 'npm was not found', fix: 'install Node with npm' });
  }
  if (findProgram('tar', path) === undefined) {
    findings.push({ code: 'TAR_MISSING', message: 'tar was not found', fix: '`apt-get install tar`' });
  }
  return findings;
}

const DATA_BYTES = 500e6;

/** Whether the disks hold what will be downloaded, unpacked and written. */
export async function checkDisk(missing: readonly Component[], stackDir: string): Promise<Finding[]> {
  const needs = new Map<string, number>([[stackDir, DATA_BYTES]]);
  for (const component of missing) {
    // While it is unpacked, the archive and what is kept lie side by side.
    const bytes = component.downloadBytes + component.keptBytes;
    needs.set(component.cache, (needs.get(component.cache) ?? 0) + bytes);
  }
  const findings: Finding[] = [];
  for (const [folder, bytes] of needs) {
    const disk = await statfs(existingFolder(folder));
    const free = disk.bavail * disk.bsize;
    if (free < bytes) {
      findings.push({
        code: 'DISK_FULL',
        message: `${folder} has ${formatBytes(free)} free and needs ${formatBytes(bytes)}`,
        fix:
          folder === stackDir
            ? 'free some space, or use another disk with --dir'
            : 'free some space, or set LETHE_CACHE to a folder on another disk',
      });
    }
  }
  return findings;
}

function existingFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  return folder;
}

/** A port that a person chose and that a foreign process holds. */
export function portInUse(name: PortName, port: number): Finding {
  return {
    code: 'PORT_IN_USE',
    message: `port ${port} of ${partOfPort(name)}${name === partOfPort(name) ? '' : ` (${name})`} is in use by another process`,
    fix: `end that process (\`lsof -i :${port}\` names it), or choose another port with --ports ${name}=PORT`,
  };
}
