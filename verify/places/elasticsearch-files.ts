import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { askText, type Endpoint } from '../http.ts';
import type { Place, Search } from '../scan.ts';
import { filesBelow, readEveryFile, searchFile } from './files.ts';
import { dumpLucene } from './lucene-dump.ts';

const what = 'Elasticsearch';

/**
 * Every file below Elasticsearch's data and snapshot folders as bytes (translogs hold documents as they are), and every
 * Lucene index there decompressed: deleted documents stay in it until a merge drops them. The server itself
 * says where its folders and its libraries are; it must run on this machine. `within`: only files whose path it takes.
 */
export function elasticsearchFilesPlace(
  endpoint: Endpoint,
  within: (path: string) => boolean = () => true,
): Place {
  return {
    name: 'elasticsearch files',
    search: async (search) => {
      // What is only in memory is written out first.
      const flush = '/_flush?force=true&wait_if_ongoing=true&expand_wildcards=all';
      await askText(endpoint, what, { method: 'POST', path: flush });
      for (const { data, home } of await nodePaths(endpoint)) {
        await readEveryFile(search, data, async ({ path }) => {
          if (within(path)) await searchFile(search, path);
        });
        await searchIndexes(search, join(home, 'lib'), data, within);
      }
    },
  };
}

async function searchIndexes(
  search: Search,
  lib: string,
  paths: readonly string[],
  within: (path: string) => boolean,
): Promise<void> {
  const folders = new Set<string>();
  for (const path of paths) {
    for await (const file of filesBelow(path)) {
      if (basename(file.path).startsWith('segments_') && within(file.path)) folders.add(dirname(file.path));
    }
  }
  let where = '';
  for await (const { kind, bytes } of dumpLucene({ lib, folders: [...folders] })) {
    if (kind === 'L') where = bytes.toString('utf8');
    else if (kind === 'V') search.bytes(where, bytes);
    else if (kind === 'N') search.records(Number(bytes.toString('utf8')));
    else search.problem(`Lucene index ${bytes.toString('utf8')}`);
  }
}

interface NodePath {
  readonly data: string | string[];
  readonly home: string;
  readonly repo?: string | string[];
}

async function nodePaths(endpoint: Endpoint): Promise<{ data: string[]; home: string }[]> {
  const path = '/_nodes/settings?filter_path=nodes.*.settings.path';
  const answer = JSON.parse(await askText(endpoint, what, { path })) as {
    nodes: Record<string, { settings: { path: NodePath } }>;
  };
  return Object.values(answer.nodes).map(({ settings }) => {
    const { data, home, repo = [] } = settings.path;
    // Folders for snapshots may be named and never made.
    return { data: [data, [repo].flat().filter((path) => existsSync(path))].flat(), home };
  });
}
