import { errors } from '@elastic/elasticsearch';
import { LetheError } from '../../schemas/errors.ts';

/** What Elasticsearch's own error body says of its kind; `reason` is never read, for it quotes values. */
export function errorType(error: unknown): string {
  if (!(error instanceof errors.ResponseError)) return '';
  const body = error.body as { error?: { type?: unknown } | string } | undefined;
  const type = typeof body?.error === 'object' ? body.error.type : undefined;
  // Whatever answers in its place may write anything there.
  return typeof type === 'string' && /^[a-z_]+$/.test(type) ? type : '';
}

/** Status of the answer, 0 if there was none. */
export function errorStatus(error: unknown): number {
  return error instanceof errors.ResponseError ? (error.statusCode ?? 0) : 0;
}

/** The privileges that plan, apply and run need, for the message when one is missing. */
const privileges =
  'Give the user the index privileges create_index, view_index_metadata, manage, read and write on the indexes of this pipeline.';

/**
 * Makes a LetheError of a driver's error from its class, status and type alone: its text and its cause hold
 * documents. `what` says what was tried, in names.
 */
export function toLetheError(error: unknown, what: string): LetheError {
  if (error instanceof LetheError) return error;
  const status = errorStatus(error);
  const type = errorType(error);
  if (status === 401) {
    return new LetheError('AUTH_FAILED', `Elasticsearch refused the credentials (${what}).`);
  }
  if (status === 403 && type !== 'cluster_block_exception') {
    return new LetheError('AUTH_FAILED', `Elasticsearch does not allow this user to ${what}.`, {
      fix: privileges,
    });
  }
  if (status !== 0) {
    return new LetheError('SERVER_FAILED', `Elasticsearch answered ${status} ${type} (${what}).`, {
      detail: { status },
    });
  }
  if (error instanceof errors.ProductNotSupportedError) {
    return new LetheError('SERVER_FAILED', `What answers is not Elasticsearch (${what}).`, {
      fix: 'Correct elasticsearch.url in lethe.yaml.',
    });
  }
  if (error instanceof errors.DeserializationError) {
    return new LetheError('SERVER_FAILED', `Elasticsearch's answer is not JSON (${what}).`);
  }
  const kind = error instanceof errors.ElasticsearchClientError ? error.name : 'no answer';
  return new LetheError('UNREACHABLE', `Elasticsearch does not answer: ${kind} (${what}).`, {
    fix: 'Start the server, or correct elasticsearch.url or elasticsearch.tls in lethe.yaml.',
  });
}
