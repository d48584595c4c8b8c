import { ask, askText, type Endpoint, isSuccess, refused } from '../http.ts';
import { canonicalJson, type Json, JsonNumber, parseJson } from '../json.ts';
import { formatStamp, parseDateDays, parseTimeMicros } from '../rules/calendar.ts';
import { normalArray, normalFloat } from '../rules/normal-form.ts';
import { recordKeyOf } from '../rules/record-key.ts';
import type { ColumnCheck, TableCheck } from '../rules/table-check.ts';
import { VerifyError } from '../verify-error.ts';
import { lines } from './lines.ts';
import type { PlaceForm, PlaceRow } from './place-row.ts';
import { base64Of, textOf } from './text-value.ts';

const what = 'ClickHouse';
/** Columns that Lethe adds begin with this. */
const ownPrefix = '_lethe_';

/** Nothing is quoted but what JSON cannot write: the parser here loses no digit. */
const settings = {
  output_format_json_quote_64bit_integers: '0',
  output_format_json_quote_decimals: '0',
  output_format_json_quote_denormals: '1',
  output_format_decimal_trailing_zeros: '1',
  wait_end_of_query: '0',
};

/** Values as the queries below give them: instants as microseconds, everything else as JSON writes it. */
export const clickhouseForm: PlaceForm = {
  place: 'clickhouse',
  normal: normalFromClickhouse,
  text: textOf,
  bytes: base64Of,
  emptyArrayIsNull: true,
};

/** Every row that the view shows its readers, or those of the keys. `moves`: while changes flow a count of later is another one. */
export async function* viewRows(
  endpoint: Endpoint,
  database: string,
  view: string,
  check: TableCheck,
  { keys, moves = false }: { readonly keys?: readonly string[]; readonly moves?: boolean } = {},
): AsyncGenerator<PlaceRow> {
  const name = `${quote(database)}.${quote(view)}`;
  const columns = await describe(endpoint, name);
  const shown = columns.filter((column) => !column.name.startsWith(ownPrefix));
  const keyColumn = columns.some((column) => column.name === `${ownPrefix}key`);
  const selected = shown.map((column) =>
    column.type.includes('DateTime64') ? `toUnixTimestamp64Micro(${quote(column.name)})` : quote(column.name),
  );
  selected.push(`toString(${quote(`${ownPrefix}version`)})`);
  if (keyColumn) selected.push(quote(`${ownPrefix}key`));
  const wanted = keys && new Set(keys);
  let read = 0;
  for await (const values of query(endpoint, `SELECT ${selected.join(', ')} FROM ${name}`)) {
    const cells = new Map(shown.map((column, i) => [column.name, values[i]]));
    const key = keyOf(check, cells);
    read++;
    if (wanted && !wanted.has(key)) continue;
    const faults = keyColumn && values[shown.length + 1] !== key ? [`${ownPrefix}key`] : [];
    yield { key, cells, faults, version: textOf(values[shown.length]) };
  }
  if (moves) return;
  for await (const [total] of query(endpoint, `SELECT count() FROM ${name}`)) {
    if (!(total instanceof JsonNumber) || Number(total.text) !== read) {
      throw new VerifyError('SERVER_FAILED', `${what} gave ${read} rows and counts another number`);
    }
  }
}

/** The canonical key, made anew from the row's own key columns. */
function keyOf(check: TableCheck, cells: ReadonlyMap<string, unknown>): string {
  return recordKeyOf(
    check.key.map((column) => {
      const value = cells.get(column.name);
      if (column.rule.action !== 'keep') return textOf(value);
      if (column.kind === 'date') return textOf(value);
      const normal = normalFromClickhouse(column, value);
      return column.kind === 'timestamptz'
        ? `${formatStamp(BigInt(normal), column.fractionDigits)}Z`
        : normal;
    }),
  );
}

function normalFromClickhouse(column: ColumnCheck, value: unknown): string {
  const { kind } = column;
  switch (kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw malformed(kind);
      return String(value);
    case 'int':
    case 'long':
    case 'timestamp':
    case 'timestamptz':
      if (!(value instanceof JsonNumber) || !/^-?\d+$/.test(value.text)) throw malformed(kind);
      return value.text;
    case 'float':
    case 'double':
      return normalFloat(kind, value instanceof JsonNumber ? Number(value.text) : denormal(value));
    case 'decimal':
      // Decimal(p, s) comes as a number with all its digits, an unconstrained one as text.
      return value instanceof JsonNumber ? value.text : textOf(value);
    case 'text':
    case 'interval':
    case 'timetz':
      return textOf(value);
    case 'uuid':
      return textOf(value).toLowerCase();
    case 'date':
      return String(parseDateDays(textOf(value)));
    case 'time':
      return String(parseTimeMicros(textOf(value)));
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

const denormals: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };

function denormal(value: unknown): number {
  const number = denormals[textOf(value)];
  if (number === undefined) throw malformed('float');
  return number;
}

async function describe(endpoint: Endpoint, name: string): Promise<{ name: string; type: string }[]> {
  const text = await askText(endpoint, `${what} (${name})`, {
    method: 'POST',
    path: '/',
    body: `DESCRIBE TABLE ${name} FORMAT JSONCompactEachRow`,
    contentType: 'text/plain',
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [column, type] = JSON.parse(line) as [string, string];
      return { name: column, type };
    });
}

async function* query(endpoint: Endpoint, sql: string): AsyncGenerator<Json[]> {
  const answer = await ask(endpoint, what, {
    method: 'POST',
    path: `/?${new URLSearchParams(settings).toString()}`,
    body: `${sql} FORMAT JSONCompactEachRow`,
    contentType: 'text/plain',
  });
  if (!isSuccess(answer)) {
    answer.resume();
    throw refused(what, answer);
  }
  for await (const line of lines(answer)) {
    // An error in mid-answer comes as text after the rows: it is no JSON array.
    if (!line.startsWith('[')) throw new VerifyError('SERVER_FAILED', `${what} broke off an answer`);
    yield parseJson(line) as Json[];
  }
}

function quote(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

function malformed(name: string): VerifyError {
  return new VerifyError('DATA_MALFORMED', `a ClickHouse value is not a ${name}`);
}
