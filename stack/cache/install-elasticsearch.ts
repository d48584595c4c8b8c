import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stackAsset } from '../package-root.ts';
import { stackVersions } from '../versions.ts';
import type { InstallContext } from './component.ts';
import { fetchArtifact, parseCoordinates } from './maven-artifact.ts';
import { runClient } from './run-client.ts';

const LAUNCHER_SOURCE = stackAsset('assets', 'EsLauncher.java');

const ELASTICSEARCH_MODULES = [
  'aggregations',
  'analysis-common',
  'ingest-common',
  'lang-painless',
  'parent-join',
  'reindex',
  'rest-root',
  'transport-netty4',
];

/** Takes Elasticsearch out of the archive that carries it, and compiles the launcher. */
export async function installElasticsearch(context: InstallContext): Promise<void> {
  const { elasticsearch } = stackVersions();
  const { work, target, signal } = context;
  const zip = await fetchArtifact(elasticsearch, context);
  const home = `sonarqube-${parseCoordinates(elasticsearch.artifact).version}/elasticsearch`;
  const kept = [
    'LICENSE.txt',
    'NOTICE.txt',
    'lib/',
    ...ELASTICSEARCH_MODULES.map((module) => `modules/${module}/`),
  ].map((path) => `${home}/${path}`);
  await runClient(context.javaBin('jar'), ['--extract', '--file', zip, ...kept], { cwd: work, signal });
  await rm(zip);
  for (const entry of await readdir(join(work, home, 'lib'), { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== 'platform')
      await rm(join(work, home, 'lib', entry.name), { recursive: true });
  }
  await rename(join(work, home), join(target, 'home'));
  await mkdir(join(target, 'home', 'plugins'));
  // A jar and no folder: the JVM archives classes of jars alone.
  const classes = join(work, 'launcher');
  const libraries = join(target, 'home', 'lib', '*');
  await runClient(
    context.javaBin('javac'),
    ['--release', '17', '-d', classes, '--class-path', libraries, LAUNCHER_SOURCE],
    { cwd: work, signal },
  );
  await runClient(
    context.javaBin('jar'),
    ['--create', '--file', join(target, 'launcher.jar'), '-C', classes, '.'],
    { cwd: work, signal },
  );
}

/** Changes whenever the launcher does, so that a cache never holds one that is out of date. */
export function launcherKey(): string {
  return createHash('sha256').update(readFileSync(LAUNCHER_SOURCE)).digest('hex').slice(0, 8);
}
