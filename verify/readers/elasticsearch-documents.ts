import { askText, type Endpoint } from '../http.ts';
import { type Json, JsonNumber, type JsonObject, canonicalJson, parseJson } from '../json.ts';
import { parseDateDays, parseStampMicros, parseTimeMicros } from '../rules/calendar.ts';
import { normalArray, normalFloat } from '../rules/normal-form.ts';
import { documentIdOf } from '../rules/record-key.ts';
import { isInfinity, normalStamp } from '../rules/source-text.ts';
import type { ColumnCheck } from '../rules/table-check.ts';
import { VerifyError } from '../verify-error.ts';
import type { PlaceForm, PlaceRow } from './place-row.ts';
import { base64Of, textOf } from './text-value.ts';

const what = 'Elasticsearch';
const pageDocuments = 1_000;
/** The object that Lethe adds to every document. */
const ownField = '_lethe';

/** Values of a document's source. */
export const documentForm: PlaceForm = {
  place: 'elasticsearch',
  normal: normalFromDocument,
  text: textOf,
  bytes: base64Of,
  emptyArrayIsNull: false,
};

/** Every document that the alias shows its readers, or those with these ids, page by page in one point in time. */
export async function* aliasRows(
  endpoint: Endpoint,
  alias: string,
  ids?: readonly string[],
): AsyncGenerator<PlaceRow> {
  const encoded = encodeURIComponent(alias);
  await askText(endpoint, `${what} (alias ${alias})`, { method: 'POST', path: `/${encoded}/_refresh` });
  const opened = await post(endpoint, `/${encoded}/_pit?keep_alive=5m`, undefined);
  let pit = stringField(opened, 'id');
  try {
    let after: Json | undefined;
    let total: number | undefined;
    let read = 0;
    for (;;) {
      const page = await post(endpoint, '/_search', {
        size: pageDocuments,
        ...(ids ? { query: { ids: { values: ids } } } : {}),
        pit: { id: pit, keep_alive: '5m' },
        sort: [{ _shard_doc: 'asc' }],
        track_total_hits: true,
        ...(after === undefined ? {} : { search_after: JSON.parse(canonicalSort(after)) as unknown }),
      });
      pit = stringField(page, 'pit_id');
      const found = objectField(page, 'hits');
      total ??= Number((objectField(found, 'total').get('value') as JsonNumber).text);
      const hits = found.get('hits') as JsonObject[];
      for (const hit of hits) {
        yield rowOf(hit);
        after = hit.get('sort')!;
      }
      read += hits.length;
      if (hits.length === 0) break;
    }
    if (read !== total) throw new VerifyError('SERVER_FAILED', `${what} gave ${read} of ${total} documents`);
  } finally {
    await askText(endpoint, what, { method: 'DELETE', path: '/_pit', body: JSON.stringify({ id: pit }) });
  }
}

function rowOf(hit: JsonObject): PlaceRow {
  const id = stringField(hit, '_id');
  const source = objectField(hit, '_source');
  const own = source.get(ownField);
  const faults: string[] = [];
  let version: string | undefined;
  let key = id;
  if (own instanceof Map) {
    const given = own.get('key');
    if (typeof given === 'string') key = given;
    else faults.push('_lethe.key');
    const said = own.get('version');
    if (typeof said === 'string') version = said;
    if (own.get('deleted') === true) faults.push('_lethe.deleted');
  } else {
    faults.push(ownField);
  }
  if (documentIdOf(key) !== id) faults.push('_id');
  const cells = new Map(source);
  cells.delete(ownField);
  return { key, cells, faults, ...(version === undefined ? {} : { version }) };
}

function normalFromDocument(column: ColumnCheck, value: unknown): string {
  const { kind } = column;
  switch (kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw malformed(kind);
      return String(value);
    case 'int':
    case 'long':
      if (!(value instanceof JsonNumber) || !/^-?\d+$/.test(value.text)) throw malformed(kind);
      return value.text;
    case 'float':
    case 'double':
      if (!(value instanceof JsonNumber)) throw malformed(kind);
      return normalFloat(kind, Number(value.text));
    case 'decimal':
    case 'text':
    case 'interval':
    case 'timetz':
    case 'uuid':
      return textOf(value);
    case 'date':
      return String(parseDateDays(textOf(value)));
    case 'time':
      return String(parseTimeMicros(textOf(value)));
    case 'timestamp':
      return isInfinity(textOf(value))
        ? textOf(value)
        : normalStamp(parseStampMicros(textOf(value), 'without'));
    case 'timestamptz':
      return isInfinity(textOf(value)) ? textOf(value) : String(parseStampMicros(textOf(value), 'with'));
    case 'json':
      return canonicalJson(parseJson(textOf(value)));
    case 'bytes':
      return base64Of(value).toString('hex');
    case 'text[]':
    case 'int[]':
    case 'long[]':
      return normalArray(kind, value as Json);
  }
}

async function post(endpoint: Endpoint, path: string, body: unknown): Promise<JsonObject> {
  const text = await askText(endpoint, what, {
    method: 'POST',
    path,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = parseJson(text);
  if (!(answer instanceof Map)) throw malformed('answer');
  return answer;
}

/** `_shard_doc` sort values are whole numbers below 2^53. */
function canonicalSort(after: Json): string {
  return JSON.stringify(after, (_key, value: unknown) =>
    value instanceof JsonNumber ? Number(value.text) : value,
  );
}

function stringField(object: JsonObject, name: string): string {
  return textOf(object.get(name));
}

function objectField(object: JsonObject, name: string): JsonObject {
  const value = object.get(name);
  if (!(value instanceof Map)) throw malformed(name);
  return value;
}

function malformed(name: string): VerifyError {
  return new VerifyError('DATA_MALFORMED', `a document's value is not a ${name}`);
}
