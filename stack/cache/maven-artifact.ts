import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PinnedArtifact, PinnedJars } from '../versions.ts';
import { brokenDownload, checkDigest } from './checksum.ts';
import type { InstallContext } from './component.ts';
import { runClient, type Watched } from './run-client.ts';

const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';

/** The parts of `group:name:version:type[:classifier]`. */
export interface Coordinates {
  readonly group: string;
  readonly name: string;
  readonly version: string;
  readonly type: string;
  readonly classifier: string | undefined;
}

/** Reads coordinates as they stand in versions.json. */
export function parseCoordinates(text: string): Coordinates {
  const [group = '', name = '', version = '', type = 'jar', classifier] = text.split(':');
  return { group, name, version, type, classifier };
}

/**
 * The local repository of this install. Not the user's own: 921 MB must not stay there, a broken file must
 * go with the rest, and descriptors can be put in place of those that cannot be resolved.
 */
function localRepository(context: InstallContext): string {
  return join(context.work, 'm2');
}

function mvn(
  context: InstallContext,
  goal: string,
  args: readonly string[],
  watch: Omit<Watched, 'report'>,
): Promise<void> {
  return runClient(
    'mvn',
    ['-B', '-q', `-Dmaven.repo.local=${localRepository(context)}`, `${PLUGIN}:${goal}`, ...args],
    {
      cwd: context.work,
      signal: context.signal,
      watch: { ...watch, report: context.report },
    },
  );
}

/** Downloads one artifact without its dependencies, checks it, and gives its path; it lies below `work`. */
export async function fetchArtifact(pinned: PinnedArtifact, context: InstallContext): Promise<string> {
  const { group, name, version, type, classifier } = parseCoordinates(pinned.artifact);
  const folder = join(localRepository(context), ...group.split('.'), name, version);
  await mkdir(folder, { recursive: true });
  // A descriptor without parent and dependencies: nothing else is to be fetched, and the parent of the
  // registry's own one was never published.
  await writeFile(join(folder, `${name}-${version}.pom`), pom({ group, name, version }, ''));
  await mvn(context, 'get', [`-Dartifact=${pinned.artifact}`, '-Dtransitive=false'], {
    label: name,
    folder,
    totalBytes: pinned.bytes,
  });
  const file = join(folder, `${name}-${version}${classifier === undefined ? '' : `-${classifier}`}.${type}`);
  await checkDigest(file, 'sha256', 'hex', pinned.sha256);
  return file;
}

/** Downloads dependencies with all that they need, checks each jar, and moves the pinned ones into a folder. */
export async function fetchJars(
  label: string,
  pinned: PinnedJars,
  into: string,
  context: InstallContext,
): Promise<void> {
  const project = join(context.work, `pom-${label}`);
  const jars = join(project, 'jars');
  await mkdir(jars, { recursive: true });
  const dependencies = pinned.dependencies
    .map(parseCoordinates)
    .map(
      ({ group, name, version }) =>
        `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`,
    )
    .join('');
  const file = join(project, 'pom.xml');
  await writeFile(
    file,
    pom(
      { group: 'lethe', name: label, version: '1' },
      `<packaging>pom</packaging><dependencies>${dependencies}</dependencies>`,
    ),
  );
  await mvn(context, 'copy-dependencies', ['-f', file, `-DoutputDirectory=${jars}`], {
    label,
    folder: localRepository(context),
    totalBytes: pinned.bytes,
  });
  const present = new Set(await readdir(jars));
  await mkdir(into, { recursive: true });
  for (const [jar, sha256] of Object.entries(pinned.sha256)) {
    if (!present.has(jar)) throw brokenDownload(jar, 'mvn did not resolve it');
    await checkDigest(join(jars, jar), 'sha256', 'hex', sha256);
    await rename(join(jars, jar), join(into, jar));
  }
  await rm(project, { recursive: true });
}

function pom(id: { group: string; name: string; version: string }, rest: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>${id.group}</groupId><artifactId>${id.name}</artifactId><version>${id.version}</version>${rest}</project>\n`;
}
