import type { Client } from '@elastic/elasticsearch';
import type { Verdict } from '../../pipeline/sink.ts';
import { LetheError } from '../../schemas/errors.ts';
import { errorStatus, toLetheError } from './errors.ts';

/** What a bulk request answers when `filter_path` leaves out all that could quote a value. */
interface BulkAnswer {
  readonly items?: readonly {
    readonly index: { readonly status: number; readonly error?: { type: string } };
  }[];
}

/**
 * Sends documents in as few requests as `maxBytes` allows, in order, and answers with a verdict for each.
 * Throws when it is not a matter of single documents.
 */
export async function sendBulk(
  client: Client,
  alias: string,
  documents: readonly string[],
  maxBytes: number,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < documents.length; i++) {
    const size = Buffer.byteLength(documents[i]!);
    if (i > start && bytes + size > maxBytes) {
      verdicts.push(...(await request(client, alias, documents.slice(start, i))));
      start = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < documents.length) verdicts.push(...(await request(client, alias, documents.slice(start))));
  return verdicts;
}

async function request(client: Client, alias: string, documents: readonly string[]): Promise<Verdict[]> {
  let answer: BulkAnswer;
  try {
    answer = await client.transport.request<BulkAnswer>({
      method: 'POST',
      path: `/${encodeURIComponent(alias)}/_bulk`,
      // Without require_alias a missing alias would become an index of that name with guessed types.
      querystring: { require_alias: true, filter_path: 'items.*.status,items.*.error.type' },
      bulkBody: documents.join(''),
    });
  } catch (error) {
    if (errorStatus(error) === 413) return await halves(client, alias, documents);
    if (errorStatus(error) === 404) throw unapplied(alias);
    throw toLetheError(error, `write to ${alias}`);
  }
  if (answer.items?.length !== documents.length) {
    throw new LetheError('SERVER_FAILED', `Elasticsearch answered a bulk request to ${alias} incompletely.`);
  }
  return answer.items.map((item) => itemVerdict(item.index.status, item.index.error?.type ?? '', alias));
}

/** The server, or a proxy before it, takes smaller requests than ours: find those that it takes. */
async function halves(client: Client, alias: string, documents: readonly string[]): Promise<Verdict[]> {
  if (documents.length === 1) return [{ outcome: 'rejected', code: 'RECORD_REJECTED' }];
  const middle = documents.length >> 1;
  return [
    ...(await request(client, alias, documents.slice(0, middle))),
    ...(await request(client, alias, documents.slice(middle))),
  ];
}

/**
 * The verdict on one document, by status and type alone. What can only be the index's or the user's fault
 * throws: a whole topic must not end among the dead letters because `lethe apply` was not run.
 */
export function itemVerdict(status: number, type: string, alias: string): Verdict {
  if (status === 200 || status === 201) return { outcome: 'written' };
  if (status === 409) return { outcome: 'stale' };
  if (status === 404 || type === 'strict_dynamic_mapping_exception') {
    throw unapplied(alias);
  }
  if (status === 401 || (status === 403 && type !== 'cluster_block_exception')) {
    throw new LetheError('AUTH_FAILED', `Elasticsearch does not allow this user to write to ${alias}.`);
  }
  if (status === 403 || status === 408 || status === 429 || status >= 500) {
    return { outcome: 'retriable', code: 'SERVER_FAILED' };
  }
  return { outcome: 'rejected', code: 'RECORD_REJECTED' };
}

function unapplied(alias: string): LetheError {
  return new LetheError('SERVER_FAILED', `The index behind ${alias} is not as the contract asks.`, {
    fix: 'Run `lethe apply`.',
  });
}
