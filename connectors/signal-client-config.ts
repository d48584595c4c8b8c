import type { Config } from '../schemas/config.ts';

/** Security of the connector's own consumer of the signal topic, as Kafka's Java client takes it. */
export function signalClientConfig(kafka: Config['kafka']): Record<string, string> {
  const { tls, sasl } = kafka;
  if (!tls && !sasl) return {};
  const protocol = `${sasl ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
  return prefixed('signal.consumer.', {
    'security.protocol': protocol,
    ...(sasl
      ? {
          'sasl.mechanism': sasl.mechanism.toUpperCase(),
          'sasl.jaas.config': jaasConfig(sasl),
        }
      : {}),
    ...(typeof tls === 'object'
      ? {
          ...(tls.ca === undefined
            ? {}
            : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': tls.ca }),
          ...(tls.cert === undefined || tls.key === undefined
            ? {}
            : {
                'ssl.keystore.type': 'PEM',
                'ssl.keystore.certificate.chain': tls.cert,
                'ssl.keystore.key': tls.key,
              }),
          ...(tls.verify ? {} : { 'ssl.endpoint.identification.algorithm': '' }),
        }
      : {}),
  });
}

function jaasConfig(sasl: NonNullable<Config['kafka']['sasl']>): string {
  const module =
    sasl.mechanism === 'plain'
      ? 'org.apache.kafka.common.security.plain.PlainLoginModule'
      : 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return `${module} required username=${quoted(sasl.username)} password=${quoted(sasl.password)};`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function prefixed(prefix: string, entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([key, value]) => [prefix + key, value]));
}
