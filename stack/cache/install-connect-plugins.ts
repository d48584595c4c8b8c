import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stackVersions } from '../versions.ts';
import { unpackTar } from './archive.ts';
import type { InstallContext } from './component.ts';
import { installLethePlugin } from './install-lethe-plugin.ts';
import { fetchArtifact, fetchJars } from './maven-artifact.ts';
import { runClient } from './run-client.ts';

/** Installs Debezium with Lethe's plugin, and the Avro converter, each in a folder of its own below one plugin path. */
export async function installConnectPlugins(kafkaLibraries: string, context: InstallContext): Promise<void> {
  const { debezium, avroConverter } = stackVersions();
  const archive = await fetchArtifact(debezium, context);
  const connector = join(context.target, 'debezium-connector-postgres');
  await unpackTar(archive, connector, 1, context);
  await installLethePlugin(kafkaLibraries, connector, context);
  const converter = join(context.target, 'apicurio-avro-converter');
  await fetchJars('avro-converter', avroConverter, converter, context);
  // Connect finds plugins by their service files alone (`plugin.discovery=service_load`); this one has none.
  const services = join(context.work, 'converter-services');
  const folder = join(services, 'META-INF', 'services');
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'org.apache.kafka.connect.storage.Converter'),
    'io.apicurio.registry.utils.converter.AvroConverter\n',
  );
  await runClient(
    context.javaBin('jar'),
    ['--create', '--file', join(converter, 'converter-services.jar'), '-C', services, 'META-INF'],
    { cwd: context.work, signal: context.signal },
  );
}
