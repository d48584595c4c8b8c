import type { TestEndpoints } from '../../support/stack.ts';
import { openKafkaProxy } from './kafka-proxy.ts';
import { TcpProxy } from './tcp-proxy.ts';

export const lineNames = ['source', 'key store', 'kafka', 'registry', 'elasticsearch', 'clickhouse'] as const;
export type LineName = (typeof lineNames)[number];

/** A proxy before each server that a pipeline talks to. */
export class Lines {
  /** The servers as the pipeline sees them. */
  readonly endpoints: TestEndpoints;
  readonly keyStoreUrl: string;
  private readonly proxies: ReadonlyMap<LineName, TcpProxy>;

  private constructor(
    proxies: ReadonlyMap<LineName, TcpProxy>,
    endpoints: TestEndpoints,
    keyStoreUrl: string,
  ) {
    this.proxies = proxies;
    this.endpoints = endpoints;
    this.keyStoreUrl = keyStoreUrl;
  }

  static async open(servers: TestEndpoints, keyStoreUrl: string): Promise<Lines> {
    const proxies = new Map<LineName, TcpProxy>();
    const through = async (name: LineName, address: string): Promise<string> => {
      const url = new URL(address);
      const proxy = await TcpProxy.open({ host: url.hostname, port: Number(url.port) });
      proxies.set(name, proxy);
      return withPort(address, proxy.port);
    };
    const [host, port] = servers.kafka.brokers[0]!.split(':') as [string, string];
    const kafka = await openKafkaProxy(host, Number(port));
    proxies.set('kafka', kafka);
    const endpoints: TestEndpoints = {
      ...servers,
      kafka: { brokers: [`${host}:${kafka.port}`] },
      postgres: { url: await through('source', servers.postgres.url) },
      registry: { url: await through('registry', servers.registry.url) },
      elasticsearch: { url: await through('elasticsearch', servers.elasticsearch.url) },
      clickhouse: { url: await through('clickhouse', servers.clickhouse.url) },
    };
    return new Lines(proxies, endpoints, await through('key store', keyStoreUrl));
  }

  of(name: LineName): TcpProxy {
    return this.proxies.get(name)!;
  }

  heal(): void {
    for (const proxy of this.proxies.values()) proxy.heal();
  }

  async close(): Promise<void> {
    for (const proxy of this.proxies.values()) await proxy.close();
  }
}

/** The same address behind another port. */
export function withPort(address: string, port: number | string): string {
  const url = new URL(address);
  url.port = String(port);
  return url.href.replace(/\/$/, '');
}
