import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stackVersions } from '../../../stack/versions.ts';
import { projectText, trackedFiles } from '../../support/project-tree.ts';
import { readCompose, readVersions, secretsRead, variablesOf } from './compose-file.ts';

const compose = readCompose();
const versions = readVersions();
const services = Object.entries(compose.services);

describe('compose.yaml', () => {
  it('takes every variable from versions.env and leaves none there unused', () => {
    const prose = compose.text.replaceAll(/^\s*#.*$/gm, '');
    expect([...variablesOf(prose)].sort()).toEqual([...versions.keys()].sort());
  });

  it('says which file to give when a variable is missing', () => {
    for (const [variable] of compose.text.matchAll(/\$\{[^}]*\}/g)) {
      expect(variable).toMatch(/^\$\{[A-Z_]+:\?give --env-file docker\/versions\.env\}$/);
    }
  });

  it('pins each image in versions.env to one version', () => {
    for (const image of versions.values()) expect(image).toMatch(/^[a-z/-]+:\d+\.\d+\.?\d*(?:-[a-z0-9-]+)?$/);
    for (const [name, { image, build }] of services) {
      if (!build) expect(image, name).toMatch(/^\$\{/);
    }
  });

  it('has the versions of the embedded stack', () => {
    const pinned = stackVersions();
    const version = (variable: string): string => versions.get(variable)!.split(':')[1]!.split('-')[0]!;
    expect({
      postgres: version('POSTGRES_IMAGE'),
      kafka: version('KAFKA_IMAGE'),
      registry: version('REGISTRY_IMAGE'),
      elasticsearch: version('ELASTICSEARCH_IMAGE'),
      clickhouse: version('CLICKHOUSE_IMAGE'),
    }).toEqual({
      postgres: pinned.postgres.version,
      kafka: pinned.kafka.version,
      registry: pinned.registry.version,
      elasticsearch: pinned.elasticsearch.version,
      clickhouse: pinned.clickhouse.version,
    });
  });

  it('waits for what exists and can be waited for', () => {
    for (const [name, { dependsOn }] of services) {
      for (const [other, { condition }] of Object.entries(dependsOn)) {
        const target = compose.services[other];
        expect(target, `${name} waits for ${other}`).toBeDefined();
        if (condition === 'service_healthy') expect(target!.healthcheck, other).toBeDefined();
        else expect([condition, target!.restart]).toEqual(['service_completed_successfully', 'no']);
      }
    }
  });

  it('has the health of every server asked', () => {
    const servers = services.filter(([, { image }]) => image !== 'lethe');
    expect(servers.map(([name, { healthcheck }]) => [name, healthcheck === undefined])).toEqual(
      servers.map(([name]) => [name, false]),
    );
  });

  it('uses all of its networks, volumes and secrets, and no others', () => {
    const used = (of: (service: (typeof services)[number][1]) => readonly string[]): string[] =>
      [...new Set(services.flatMap(([, service]) => of(service)))].sort();
    expect(used((s) => s.networks)).toEqual([...compose.networks].sort());
    expect(used((s) => s.mounts.map((m) => m.source).filter((source) => !source.startsWith('.')))).toEqual(
      [...compose.volumes].sort(),
    );
    expect(used((s) => s.secrets.map((m) => m.source))).toEqual(Object.keys(compose.secrets).sort());
  });

  it('mounts files of this checkout', () => {
    const files = trackedFiles();
    for (const [name, { mounts }] of services) {
      for (const { source } of mounts.filter((mount) => mount.source.startsWith('.'))) {
        const path = posix.join('docker', source);
        expect(
          files.some((file) => file === path || file.startsWith(`${path}/`)),
          `${name}: ${source}`,
        ).toBe(true);
      }
    }
  });

  it('gives each service the secrets that it reads, and only those', () => {
    const filesRead: Readonly<Record<string, string>> = {
      postgres: projectText('docker/postgres-init.sql'),
      connect: projectText('docker/lethe.yaml').match(/postgresPassword: .*/)![0],
      ...Object.fromEntries(
        services
          .filter(([, s]) => s.image === 'lethe')
          .map(([name]) => [name, projectText('docker/lethe.yaml')]),
      ),
    };
    for (const [name, { secrets, text }] of services) {
      const inPlace = secrets.filter(({ target }) => target.startsWith('/run/secrets/')).map((s) => s.source);
      const read = new Set(secretsRead(text + (filesRead[name] ?? '')));
      expect(inPlace.toSorted(), name).toEqual([...read].sort());
    }
  });

  it('opens ports to this machine alone', () => {
    const ports = services.flatMap(([, service]) => service.ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });
});
