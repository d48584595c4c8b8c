import type { Config } from '../schemas/config.ts';

/**
 * Settings of the Avro converter for keys and values. Against Apicurio it is Apicurio's, in Confluent's wire
 * format; against any other registry it is Confluent's own.
 */
export function converterConfig(config: Pick<Config, 'connect' | 'registry'>): Record<string, string> {
  const url = config.connect.registryUrl ?? config.registry.url;
  const apicurio = apicurioUrl(url);
  const settings = apicurio === undefined ? confluent(config, url) : apicurioSettings(config, apicurio);
  return Object.fromEntries(
    ['key', 'value'].flatMap((side) =>
      Object.entries(settings).map(([name, value]) => [
        name === '' ? `${side}.converter` : `${side}.converter.${name}`,
        value,
      ]),
    ),
  );
}

/** Apicurio's own API beside the Confluent one, or undefined if the address is not Apicurio's. */
export function apicurioUrl(url: string): string | undefined {
  const match = /^(.*)\/apis\/(?:ccompat\/v\d+|registry\/v2)\/?$/.exec(url);
  return match ? `${match[1]}/apis/registry/v2` : undefined;
}

type Settings = Readonly<Record<string, string>>;

function apicurioSettings({ registry }: Pick<Config, 'registry'>, url: string): Settings {
  return {
    '': 'io.apicurio.registry.utils.converter.AvroConverter',
    'apicurio.registry.url': url,
    'apicurio.registry.auto-register': 'true',
    'apicurio.registry.as-confluent': 'true',
    'apicurio.registry.use-id': 'contentId',
    'apicurio.registry.headers.enabled': 'false',
    'apicurio.registry.id-handler': 'io.apicurio.registry.serde.Legacy4ByteIdHandler',
    'apicurio.registry.artifact-resolver-strategy': 'io.apicurio.registry.serde.strategy.TopicIdStrategy',
    // Every half minute it asks again for what it knows. A registry that is away then must not end the connector.
    'apicurio.registry.fault-tolerant-refresh': 'true',
    ...(registry.username === undefined
      ? {}
      : { 'apicurio.auth.username': registry.username, 'apicurio.auth.password': registry.password ?? '' }),
  };
}

function confluent({ registry }: Pick<Config, 'registry'>, url: string): Settings {
  return {
    '': 'io.confluent.connect.avro.AvroConverter',
    'schema.registry.url': url,
    'auto.register.schemas': 'true',
    'ignore.default.for.nullables': 'true',
    ...(registry.username === undefined
      ? {}
      : {
          'basic.auth.credentials.source': 'USER_INFO',
          'basic.auth.user.info': `${registry.username}:${registry.password ?? ''}`,
        }),
  };
}
