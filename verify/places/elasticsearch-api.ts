import { createHash } from 'node:crypto';
import { askText, type Endpoint } from '../http.ts';
import type { Place, Search } from '../scan.ts';
import { readUnlessGone } from './read-unless-gone.ts';

const what = 'Elasticsearch';
const pageDocuments = 1_000;
const every = 'expand_wildcards=all';

/**
 * Every document of every index, hidden and system indices and tombstones too, and the cluster's state: mappings,
 * settings, aliases, templates, pipelines. `within`: of the indexes only those whose name it takes.
 */
export function elasticsearchApiPlace(
  endpoint: Endpoint,
  within: (index: string) => boolean = () => true,
): Place {
  return {
    name: 'elasticsearch documents',
    search: async (search) => {
      search.text('/_cluster/state', await askText(endpoint, what, { path: `/_cluster/state?${every}` }));
      const listed = await askText(endpoint, what, {
        path: `/_cat/indices?${every}&format=json&h=index,status`,
      });
      const indexes = JSON.parse(listed) as { index: string; status: string }[];
      for (const { index, status } of indexes.filter((each) => within(each.index))) {
        if (status !== 'open') search.problem(`index ${index} is closed: its documents cannot be read`);
        else {
          await readUnlessGone(
            () => searchIndex(endpoint, search, index),
            () => isThere(endpoint, index),
          );
        }
      }
    },
  };
}

async function isThere(endpoint: Endpoint, index: string): Promise<boolean> {
  const listed = await askText(endpoint, what, { path: `/_cat/indices?${every}&format=json&h=index` });
  return (JSON.parse(listed) as { index: string }[]).some((each) => each.index === index);
}

interface Page {
  readonly _scroll_id: string;
  readonly hits: {
    readonly total: { readonly value: number };
    readonly hits: readonly { readonly _id: string }[];
  };
}

async function searchIndex(endpoint: Endpoint, search: Search, index: string): Promise<void> {
  const path = `/${encodeURIComponent(index)}`;
  await askText(endpoint, `${what} (${index})`, { method: 'POST', path: `${path}/_refresh` });
  const body = JSON.stringify({ size: pageDocuments, sort: ['_doc'], track_total_hits: true, version: true });
  let text = await askText(endpoint, what, { method: 'POST', path: `${path}/_search?scroll=5m`, body });
  let scroll: string | undefined;
  let read = 0;
  try {
    for (;;) {
      // Values are compared as bytes, so numbers that JSON.parse rounds do no harm.
      const page = JSON.parse(text) as Page;
      scroll = page._scroll_id;
      const { hits, total } = page.hits;
      searchPage(search, index, text, hits);
      read += hits.length;
      search.records(hits.length);
      if (hits.length === 0) {
        if (read !== total.value) search.problem(`index ${index} gave ${read} of ${total.value} documents`);
        return;
      }
      const more = JSON.stringify({ scroll: '5m', scroll_id: scroll });
      text = await askText(endpoint, what, { method: 'POST', path: '/_search/scroll', body: more });
    }
  } finally {
    const done = JSON.stringify({ scroll_id: scroll });
    if (scroll) await askText(endpoint, what, { method: 'DELETE', path: '/_search/scroll', body: done });
  }
}

/** The whole answer at once; only when it holds something, document by document to say which. */
function searchPage(search: Search, index: string, text: string, hits: Page['hits']['hits']): void {
  const pieces = hits.map(
    (hit) => [`index ${index} document ${digest(hit._id)}`, JSON.stringify(hit)] as const,
  );
  if (search.text(`index ${index}`, text) === 0) return;
  for (const [where, piece] of pieces) search.text(where, piece);
}

/** An id is a row's key and may say whose it is. */
function digest(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}
