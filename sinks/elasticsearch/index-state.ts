import type { Client } from '@elastic/elasticsearch';
import { errorStatus, toLetheError } from './errors.ts';

/** An index as Elasticsearch describes it; only what Lethe compares. */
export interface IndexState {
  readonly name: string;
  readonly mappings: {
    readonly dynamic?: string;
    readonly _meta?: unknown;
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  readonly aliases: Readonly<Record<string, unknown>>;
  readonly totalFieldsLimit: number | undefined;
}

interface GetIndexAnswer {
  readonly [index: string]: {
    readonly mappings: IndexState['mappings'];
    readonly aliases: IndexState['aliases'];
    readonly settings?: { readonly index?: { readonly mapping?: { total_fields?: { limit?: string } } } };
  };
}

/** The indexes that a name or an alias stands for; none if there is no such thing. */
export async function readIndexes(client: Client, name: string): Promise<IndexState[]> {
  let answer: GetIndexAnswer;
  try {
    answer = await client.transport.request<GetIndexAnswer>({
      method: 'GET',
      path: `/${encodeURIComponent(name)}`,
    });
  } catch (error) {
    if (errorStatus(error) === 404) return [];
    throw toLetheError(error, `read the definition of ${name}`);
  }
  return Object.entries(answer).map(([index, { mappings, aliases, settings }]) => {
    const limit = settings?.index?.mapping?.total_fields?.limit;
    return {
      name: index,
      mappings,
      aliases,
      totalFieldsLimit: limit === undefined ? undefined : Number(limit),
    };
  });
}
