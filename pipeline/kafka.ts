import { type Consumer, Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import type { Config } from '../schemas/config.ts';
import { LetheError } from '../schemas/errors.ts';
import type { Outages } from './outage.ts';

/**
 * A kafkajs client from lethe.yaml. It retries by itself; what it would log again and again becomes one outage, until
 * {@link tellFetches} sees an answer.
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
    logCreator:
      () =>
      ({ namespace }) => {
        // Only the broker pool's errors mean that nobody answers; the others are answers that kafkajs tries again.
        if (namespace === 'BrokerPool')
          outages?.failed('kafka', new LetheError('UNREACHABLE', 'Kafka does not answer'));
      },
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

/** Ends the outage as soon as a consumer gets an answer again. */
export function tellFetches(consumer: Consumer, outages: Outages): void {
  consumer.on(consumer.events.FETCH, () => outages.succeeded('kafka'));
}

/** A kafkajs failure as ours: its type, never its text. */
export function kafkaError(cause: unknown): LetheError {
  if (cause instanceof LetheError) return cause;
  const what = kafkaErrorType(cause);
  if (what === 'MESSAGE_TOO_LARGE' || what === 'RECORD_LIST_TOO_LARGE') {
    return new LetheError('RECORD_TOO_LARGE', 'Kafka refused a record for its size');
  }
  if (what.includes('AUTH') || what === 'KafkaJSSASLAuthenticationError') {
    return new LetheError('AUTH_FAILED', 'Kafka refused the credentials');
  }
  return new LetheError('UNREACHABLE', `Kafka failed (${what})`);
}

/** What a broker calls the error, however deep a client has wrapped it; else what the client calls it. */
/** Kafka's own name of the error, or what comes nearest to one. */
export function kafkaErrorType(cause: unknown): string {
  const { type, code, name } = cause as Record<'type' | 'code' | 'name', unknown>;
  const known = [answerOf(cause), type, code, name].find((text) => typeof text === 'string');
  return known ?? 'error';
}

/** The broker's answer within an error of @platformatic/kafka. */
function answerOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { apiId, errors, cause } = error as Record<'apiId' | 'errors' | 'cause', unknown>;
  if (typeof apiId === 'string') return apiId;
  const within: unknown[] = Array.isArray(errors) ? errors : [];
  for (const inner of [...within, cause]) {
    const answer = answerOf(inner);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
