import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { InstallContext } from './component.ts';
import { runClient } from './run-client.ts';

const PACKAGE = join(packageRoot(), 'connectors', 'java', 'io', 'lethe', 'connect');

/** What is in the jar, by the service that finds it. */
const SERVICES = {
  'org.apache.kafka.connect.transforms.Transformation': 'io.lethe.connect.ScrubDefaults',
  'io.debezium.spi.snapshot.Snapshotter': 'io.lethe.connect.ResumedSnapshot',
} as const;

/**
 * Compiles what Lethe adds to Debezium, and puts it beside Debezium's own jars: a snapshotter is looked for by the
 * class loader of the connector.
 */
export async function installLethePlugin(
  kafkaLibraries: string,
  debezium: string,
  context: InstallContext,
): Promise<void> {
  const { work, signal } = context;
  const classes = join(work, 'lethe-plugin');
  const services = join(classes, 'META-INF', 'services');
  await mkdir(services, { recursive: true });
  for (const [service, name] of Object.entries(SERVICES))
    await writeFile(join(services, service), `${name}\n`);
  const classPath = [kafkaLibraries, debezium].map((folder) => join(folder, '*')).join(':');
  await runClient(
    context.javaBin('javac'),
    ['--release', '17', '-d', classes, '--class-path', classPath, ...sources()],
    { cwd: work, signal },
  );
  await runClient(
    context.javaBin('jar'),
    ['--create', '--file', join(debezium, 'lethe-connect.jar'), '-C', classes, '.'],
    { cwd: work, signal },
  );
}

/** Changes whenever a source does, so that a cache never holds a plugin that is out of date. */
export function lethePluginKey(): string {
  const hash = createHash('sha256');
  for (const source of sources()) hash.update(readFileSync(source));
  return hash.digest('hex').slice(0, 8);
}

function sources(): string[] {
  return readdirSync(PACKAGE)
    .sort()
    .map((name) => join(PACKAGE, name));
}
