import type { Client } from '@elastic/elasticsearch';
import { toLetheError } from './errors.ts';
import { type Hit, isRow } from './pages.ts';
import { refreshIndex } from './refresh.ts';

export interface RowHit extends Hit<never> {
  readonly fields?: Readonly<Record<string, readonly string[]>>;
}

interface Answer {
  readonly hits: { readonly hits: readonly RowHit[]; readonly total?: { readonly value: number } };
}

const documentsOfARequest = 1_000;

/** The rows in an index, tombstones left out, found by what stands in them. */
export class RowIndex {
  readonly name: string;
  readonly #client: Client;

  constructor(client: Client, name: string) {
    this.#client = client;
    this.name = name;
  }

  /** What was written before is found from then on. */
  refresh(): Promise<void> {
    return refreshIndex(this.#client, this.name);
  }

  /** At most so many with this condition, without their sources. */
  async find(condition: object): Promise<readonly RowHit[]> {
    const answer = await this.#search({
      query: { bool: { filter: [condition, isRow] } },
      size: documentsOfARequest,
      _source: false,
      seq_no_primary_term: true,
      track_total_hits: false,
    });
    return answer.hits.hits;
  }

  /** What a field has in a few rows, as texts. `isNumber`: as a number in JSON it would be rounded. */
  async valuesOf(field: string, isNumber: boolean, rows: number): Promise<string[]> {
    const { hits } = await this.#search({
      query: { bool: { filter: [{ exists: { field } }, isRow] } },
      size: rows,
      _source: false,
      docvalue_fields: [{ field, ...(isNumber ? { format: '0' } : {}) }],
      track_total_hits: false,
    });
    return hits.hits.flatMap(({ fields }) => fields?.[field] ?? []);
  }

  async count(condition: object = { match_all: {} }): Promise<number> {
    const query = { bool: { filter: [condition, isRow] } };
    const answer = await this.#search({ query, size: 0, track_total_hits: true });
    return answer.hits.total!.value;
  }

  /** Deletes those that nobody has changed since they were found, and says how many they were. */
  async delete(hits: readonly Pick<RowHit, '_id' | '_seq_no' | '_primary_term'>[]): Promise<number> {
    let deleted = 0;
    for (let from = 0; from < hits.length; from += documentsOfARequest) {
      const lines = hits.slice(from, from + documentsOfARequest).map(({ _id, _seq_no, _primary_term }) => {
        const action = { _id, if_seq_no: _seq_no, if_primary_term: _primary_term };
        return `${JSON.stringify({ delete: action })}\n`;
      });
      const { items = [] } = await this.#request<{ items?: { delete: { status: number } }[] }>('_bulk', {
        querystring: { filter_path: 'items.delete.status' },
        bulkBody: lines.join(''),
      });
      deleted += items.filter((item) => item.delete.status < 300).length;
    }
    return deleted;
  }

  /** A shard that fails would else be left out of the answer in silence. */
  #search(body: object): Promise<Answer> {
    return this.#request('_search', { querystring: { allow_partial_search_results: false }, body });
  }

  async #request<T>(action: string, params: object): Promise<T> {
    const path = `/${encodeURIComponent(this.name)}/${action}`;
    try {
      return await this.#client.transport.request<T>({ method: 'POST', path, ...params });
    } catch (error) {
      throw toLetheError(error, `look for rows of persons in ${this.name}`);
    }
  }
}
