import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { stackAsset } from '../package-root.ts';
import type { Platform } from '../platform.ts';
import { stackVersions, type PinnedPackage } from '../versions.ts';
import type { Component, InstallContext } from './component.ts';
import { fetchArtifact, fetchJars, parseCoordinates } from './maven-artifact.ts';
import { pinnedTarball, unpackNpmPackage, unpinnedNotice } from './npm-package.ts';
import { runClient } from './run-client.ts';

/** All that is downloaded, by the part that needs it; Connect runs from Kafka's jars. */
export interface Components {
  readonly postgres: Component;
  readonly kafka: Component;
  readonly connectPlugins: Component;
  readonly registry: Component;
  readonly elasticsearch: Component;
  readonly clickhouse: Component;
}

/** The components for a platform. `postgresCache` is a folder that the user of Postgres can read. */
export function stackComponents(platform: Platform, cache: string, postgresCache: string): Components {
  const versions = stackVersions();
  const { postgres, kafka, debezium, avroConverter, registry, elasticsearch, clickhouse } = versions;
  const sonar = parseCoordinates(elasticsearch.artifact).version;
  return {
    postgres: {
      ...npmComponent('postgres', `PostgreSQL ${postgres.version}`, postgres, platform),
      cache: postgresCache,
      keptBytes: 60e6,
      install: (context) => installPostgres(postgres.npm, context),
    },
    kafka: {
      folder: `kafka-${kafka.version}`,
      cache,
      title: `Kafka and Kafka Connect ${kafka.version}`,
      client: 'mvn',
      downloadBytes: kafka.bytes,
      keptBytes: kafka.bytes,
      install: (context) => fetchJars('kafka', kafka, join(context.target, 'lib'), context),
    },
    connectPlugins: {
      folder: `connect-plugins-${debezium.version}-${avroConverter.version}`,
      cache,
      title: `Debezium ${debezium.version} and the Avro converter ${avroConverter.version}`,
      client: 'mvn',
      downloadBytes: debezium.bytes + avroConverter.bytes,
      keptBytes: 25e6,
      install: installConnectPlugins,
    },
    registry: {
      folder: `registry-${registry.version}`,
      cache,
      title: `Apicurio Registry ${registry.version}`,
      client: 'mvn',
      downloadBytes: registry.bytes,
      keptBytes: 121e6,
      install: async (context) => {
        const archive = await fetchArtifact(registry, context);
        await untar(archive, context.target, 0, context);
      },
    },
    elasticsearch: {
      folder: `elasticsearch-${elasticsearch.version}-${sonar}-${launcherKey()}`,
      cache,
      title: `Elasticsearch ${elasticsearch.version}`,
      client: 'mvn',
      downloadBytes: elasticsearch.bytes,
      keptBytes: 55e6,
      notice:
        'Elasticsearch is under the Elastic License 2.0: it is fetched for use on this machine and must not be passed on or offered as a service',
      install: installElasticsearch,
    },
    clickhouse: {
      ...npmComponent('clickhouse', `ClickHouse ${clickhouse.version}`, clickhouse, platform),
      cache,
      keptBytes: 570e6,
      install: async (context) => {
        const [library, binding, ffi] = clickhouse.npm as [PinnedPackage, PinnedPackage, PinnedPackage];
        const modules = join(context.target, 'node_modules');
        await unpackNpmPackage(ffi, join(modules, 'ffi-rs'), context);
        const scope = binding.package.replace(
          '{platform-libc}',
          platform.startsWith('linux') ? `${platform}-gnu` : platform,
        );
        await unpackNpmPackage(binding, join(modules, scope), context);
        await unpackNpmPackage(library, join(context.target, 'chdb'), context);
      },
    },
  };
}

function npmComponent(
  name: string,
  title: string,
  pinned: { readonly npm: readonly PinnedPackage[] },
  platform: Platform,
): Pick<Component, 'folder' | 'title' | 'client' | 'downloadBytes' | 'notice'> {
  const versions = pinned.npm.map(({ version }) => version).join('-');
  const notice = unpinnedNotice(pinned.npm, platform);
  return {
    folder: `${name}-${versions}-${platform}`,
    title,
    client: 'npm',
    downloadBytes: pinned.npm.reduce((sum, entry) => sum + (pinnedTarball(entry, platform).bytes ?? 0), 0),
    ...(notice === undefined ? {} : { notice }),
  };
}

async function untar(archive: string, into: string, strip: number, context: InstallContext): Promise<void> {
  await mkdir(into, { recursive: true });
  await runClient('tar', ['-xzf', archive, '-C', into, `--strip-components=${strip}`, '--no-same-owner'], {
    cwd: context.work,
    signal: context.signal,
  });
}

async function installPostgres(pinned: readonly PinnedPackage[], context: InstallContext): Promise<void> {
  for (const entry of pinned) await unpackNpmPackage(entry, context.target, context);
  // The package's install script makes these links; scripts of packages do not run here.
  const links = JSON.parse(await readFile(join(context.target, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const place = join(context.target, target);
    await rm(place, { force: true });
    await symlink(basename(source), place);
    if (dirname(source) !== dirname(target))
      throw new Error(`unexpected link ${target} in the Postgres package`);
  }
  await openForOthers(context.target);
}

/** Postgres runs as another user when the caller is root; a strict umask must not lock that user out. */
async function openForOthers(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  await chmod(path, 0o755);
  for (const entry of entries) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await openForOthers(child);
    else if (entry.isFile()) await chmod(child, ((await stat(child)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

async function installConnectPlugins(context: InstallContext): Promise<void> {
  const { debezium, avroConverter } = stackVersions();
  const archive = await fetchArtifact(debezium, context);
  await untar(archive, join(context.target, 'debezium-connector-postgres'), 1, context);
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

async function installElasticsearch(context: InstallContext): Promise<void> {
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
function launcherKey(): string {
  return createHash('sha256').update(readFileSync(LAUNCHER_SOURCE)).digest('hex').slice(0, 8);
}
