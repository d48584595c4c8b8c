import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { components } from '../../../cli/pipeline.ts';
import { converterConfig } from '../../../connectors/avro-converter-config.ts';
import { recordMaxBytes } from '../../../connectors/kafka/topic-settings.ts';
import { checkMaster } from '../../../keys/master/check-master.ts';
import { checkContracts } from '../../../schemas/check-contract.ts';
import { loadHouseRules } from '../../../schemas/house-rules/load-rules.ts';
import { loadConfig, type LoadedConfig } from '../../../schemas/load-config.ts';
import { loadContracts } from '../../../schemas/load-contracts.ts';
import { projectRoot, projectText } from '../../support/project-tree.ts';
import { readCompose, type Service } from './compose-file.ts';

const compose = readCompose();
const ours = Object.entries(compose.services).filter(([, service]) => service.image === 'lethe');
const connectProperties = new Map(
  projectText('docker/connect/connect.properties')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
);

/** Ports that the servers listen on in their containers; what is not said there is the image's default. */
const listens: Readonly<Record<string, number>> = {
  postgres: 5432,
  'keys-db': 5432,
  'registry-db': 5432,
  kafka: Number(
    /PLAINTEXT:\/\/:(\d+)/.exec(String(compose.services['kafka']!.environment['KAFKA_LISTENERS']))![1],
  ),
  connect: Number(new URL(connectProperties.get('listeners')!).port),
  registry: 8080,
  elasticsearch: 9200,
  clickhouse: 8123,
};

let folder: string;
let loaded: LoadedConfig;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lethe-compose-'));
  execFileSync(process.execPath, [join(projectRoot, 'docker', 'make-secrets.mjs'), folder]);
  const file = join(folder, 'lethe.yaml');
  const text = projectText('docker/lethe.yaml').replaceAll('${file:/run/secrets/', `\${file:${folder}/`);
  await writeFile(file, text);
  loaded = await loadConfig(file, {});
});

afterAll(() => rm(folder, { recursive: true }));

describe('docker/lethe.yaml', () => {
  it('loads with the secrets that make-secrets.mjs writes', () => {
    expect(loaded.findings).toEqual([]);
    expect(() => checkMaster(loaded.config!)).not.toThrow();
  });

  it('names servers of the Compose network at the ports they listen on', () => {
    const config = loaded.config!;
    const urls = [
      config.postgres.url,
      ...config.kafka.brokers.map((broker) => `kafka://${broker}`),
      config.connect.url,
      config.registry.url,
      config.elasticsearch!.url,
      config.clickhouse!.url,
      config.keys.url,
    ];
    for (const url of urls) {
      const { hostname, port } = new URL(url);
      const server = compose.services[hostname];
      expect(server, hostname).toBeDefined();
      expect(Number(port), hostname).toBe(listens[hostname]);
      for (const [name, service] of ours) expect(meet(service, server!), `${name} to ${hostname}`).toBe(true);
    }
  });

  it('names servers that Connect reaches at the same addresses', () => {
    const { config } = loaded;
    const registry = new URL(converterConfig(config!)['value.converter.apicurio.registry.url']!);
    const seen = [
      config!.postgres.url,
      `kafka://${connectProperties.get('bootstrap.servers')!}`,
      registry.href,
    ].map((url) => new URL(url));
    for (const { hostname, port } of seen) {
      expect(Number(port), hostname).toBe(listens[hostname]);
      expect(meet(compose.services['connect']!, compose.services[hostname]!), hostname).toBe(true);
    }
    expect(connectProperties.get('rest.advertised.host.name')).toBe('connect');
  });

  it('lets Connect read the password itself', () => {
    const { postgresPassword } = loaded.config!.connect;
    const [, provider, place, name] = /^\$\{(\w+):([^:]+):(\w+)\}$/.exec(postgresPassword!)!;
    expect(connectProperties.get('config.providers')).toBe(provider);
    expect(connectProperties.get(`config.providers.${provider}.param.allowed.paths`)).toBe(place);
    expect(compose.services['connect']!.secrets.map((s) => s.target)).toContain(`${place}/${name}`);
  });

  it('and its contracts and rules lie where Lethe looks for them, and fit it', async () => {
    for (const [name, { mounts }] of ours) {
      const config = mounts.find((mount) => mount.source === './lethe.yaml')!.target;
      const sourceOf = (path: string): string | undefined =>
        mounts.find((mount) => mount.target === posix.join(posix.dirname(config), path))?.source;
      expect(sourceOf(loaded.config!.contracts), name).toBe('../examples/beancart/contracts');
      expect(sourceOf(loaded.config!.rules!), name).toBe('../examples/beancart/rules.yaml');
    }
    const example = join(projectRoot, 'examples/beancart');
    const { house } = await loadHouseRules(join(example, 'rules.yaml'));
    const { contracts, findings } = await loadContracts(join(example, 'contracts'), house);
    expect([...findings, ...checkContracts(contracts, loaded.config!)]).toEqual([]);
    expect(contracts.length).toBeGreaterThan(0);
  });

  it('is run by as many services as there are components, after one that applies it', () => {
    const commands = ours.map(([, service]) => service.command.join(' ')).sort();
    expect(commands).toEqual(['apply', ...components.map((name) => `run --only ${name}`)].sort());
  });

  it('asks for records no larger than Kafka and Connect take', () => {
    const { environment } = compose.services['kafka']!;
    expect(environment['KAFKA_MESSAGE_MAX_BYTES']).toBe(recordMaxBytes);
    expect(environment['KAFKA_REPLICA_FETCH_MAX_BYTES']).toBe(recordMaxBytes);
    expect(connectProperties.get('producer.max.request.size')).toBe(String(recordMaxBytes));
  });
});

/** Whether two services share a network. */
function meet(a: Service, b: Service): boolean {
  return a.networks.some((network) => b.networks.includes(network));
}
