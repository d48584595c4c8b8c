import type { CleanChange } from '../../pipeline/sink.ts';
import type { Dataset } from '../../schemas/dataset.ts';
import { documentId } from '../../schemas/record-key.ts';
import { formatLsn, formatVersion, versionToElasticsearch, positionOf } from '../../schemas/version.ts';
import { metaField } from './types.ts';
import { toJson } from './values.ts';

/** The two lines of a bulk request for one change; throws a LetheError for a value that has no form here. */
export type ToBulkLines = (change: CleanChange) => string;

/**
 * Compiles a dataset. A delete is a document too, with nothing but `_lethe`: Elasticsearch forgets the version of
 * a real delete by time and at a restart, and would then take an older write.
 */
export function compileDocuments(dataset: Dataset): ToBulkLines {
  const names = dataset.columns.map((column) => column.name);
  const labels = dataset.columns.map((column) => `${JSON.stringify(column.name)}:`);
  const writers = dataset.columns.map(toJson);
  return (change) => {
    let source = '{';
    if (change.row !== null) {
      for (let i = 0; i < names.length; i++) {
        const value = change.row[names[i]!];
        const json = value === null || value === undefined ? 'null' : writers[i]!(value);
        source += `${labels[i]}${json},`;
      }
    }
    return `${action(change)}\n${source}"${metaField}":${meta(change)}}\n`;
  };
}

/** The version goes as text of a BigInt: it has 63 bits. */
function action(change: CleanChange): string {
  const version = versionToElasticsearch(change.version);
  return `{"index":{"_id":${JSON.stringify(documentId(change.key))},"version":${version},"version_type":"external_gte"}}`;
}

function meta(change: CleanChange): string {
  return JSON.stringify({
    key: change.key,
    version: formatVersion(change.version),
    event_id: change.eventId,
    trace_id: change.traceId,
    lsn: formatLsn(positionOf(change.version)),
    commit_ms: change.commitMs,
    contract: change.contract,
    deleted: change.row === null,
  });
}
