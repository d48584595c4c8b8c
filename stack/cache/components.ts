import { join } from 'node:path';
import { nativePackage, type Platform } from '../platform.ts';
import { stackVersions, type PinnedPackage } from '../versions.ts';
import { unpackTar } from './archive.ts';
import type { Component } from './component.ts';
import { installConnectPlugins } from './install-connect-plugins.ts';
import { installElasticsearch, launcherKey } from './install-elasticsearch.ts';
import { installPostgres } from './install-postgres.ts';
import { lethePluginKey } from './install-lethe-plugin.ts';
import { fetchArtifact, fetchJars, parseCoordinates } from './maven-artifact.ts';
import { pinnedTarball, unpackNpmPackage, unpinnedNotice } from './npm-package.ts';

/** All that is downloaded, by the part that needs it; Connect runs from Kafka's jars. */
export interface Components {
  readonly postgres: Component;
  readonly kafka: Component;
  /** Ours among them, which is compiled against Kafka's jars: it comes after them. */
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
      folder: `connect-plugins-${debezium.version}-${avroConverter.version}-${kafka.version}-${lethePluginKey()}`,
      cache,
      title: `Debezium ${debezium.version} and the Avro converter ${avroConverter.version}`,
      client: 'mvn',
      downloadBytes: debezium.bytes + avroConverter.bytes,
      keptBytes: 25e6,
      install: (context) => installConnectPlugins(join(cache, `kafka-${kafka.version}`, 'lib'), context),
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
        await unpackTar(archive, context.target, 0, context);
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
        await unpackNpmPackage(binding, join(modules, nativePackage(binding.package, platform)), context);
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
