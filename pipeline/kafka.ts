import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Outages } from './outage.ts';

/**
 * A kafkajs client from lethe.yaml. It retries for as long as it takes; its own log lines become one "Kafka fails" until
 * something succeeds again.
 */
export function createKafka(config: Pick<Config, 'name' | 'kafka'>, role: string, outages?: Outages): Kafka {
  const { brokers, tls, sasl } = config.kafka;
  const options: KafkaConfig = {
    clientId: `lethe-${config.name}-${role}`,
    brokers,
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 10 },
    logLevel: logLevel.ERROR,
    logCreator: () => () => outages?.failed('kafka', new LetheError('UNREACHABLE', 'Kafka does not answer')),
    ...(tls
      ? {
          ssl:
            tls === true
              ? true
              : {
                  rejectUnauthorized: tls.verify,
                  ...(tls.ca ? { ca: tls.ca } : {}),
                  ...(tls.cert ? { cert: tls.cert } : {}),
                  ...(tls.key ? { key: tls.key } : {}),
                },
        }
      : {}),
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
  };
  return new Kafka(options);
}

/** A kafkajs failure as ours: its type, never its text. */
export function kafkaError(cause: unknown): LetheError {
  if (cause instanceof LetheError) return cause;
  const { type, name } = cause as { type?: unknown; name?: unknown };
  const what = typeof type === 'string' ? type : typeof name === 'string' ? name : 'error';
  if (what === 'MESSAGE_TOO_LARGE' || what === 'RECORD_LIST_TOO_LARGE') {
    return new LetheError('RECORD_TOO_LARGE', 'Kafka refused a record for its size');
  }
  if (what.includes('AUTH') || what === 'KafkaJSSASLAuthenticationError') {
    return new LetheError('AUTH_FAILED', 'Kafka refused the credentials');
  }
  return new LetheError('UNREACHABLE', `Kafka failed (${what})`);
}
