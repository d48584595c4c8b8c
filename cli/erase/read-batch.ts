import { CsvError, parse } from 'csv-parse/sync';
import { LetheError } from '../../schemas/errors.ts';
import { isRequestId } from '../../erasure/requests.ts';
import { type Filing, isPastTime } from './file-request.ts';

/** A request of a file, and the line that it begins in, from 1. */
export interface BatchRow extends Filing {
  readonly line: number;
}

export const batchColumns = ['subject_type', 'subject_id', 'reason', 'request_id', 'received'] as const;
type Column = (typeof batchColumns)[number];

/** Requests of one file: they are filed in one transaction. */
const mostRows = 10_000;
const mostProblems = 50;

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/**
 * Requests from CSV (RFC 4180, UTF-8) with a header. The whole file is checked: CONFIG_INVALID names line and field of each problem, and no
 * value. `types`: kinds of persons that contracts speak of; `reason`: of rows that give none.
 */
export function readBatch(text: string, types: readonly string[], reason?: string): BatchRow[] {
  const [header, ...records] = parseCsv(text);
  const problems: string[] = [];
  const places = placesOf(header, problems);
  if (problems.length > 0) throw unusable(problems);
  if (records.length === 0) throw unusable(['it has a header at most: no request stands in it']);
  if (records.length > mostRows) throw unusable([`it has ${records.length} requests: at most ${mostRows}`]);
  const seen = { subject: new Map<string, number>(), request: new Map<string, number>() };
  let before = header!.info.lines;
  const rows = records.map(({ record, info }): BatchRow => {
    const line = before + 1;
    before = info.lines;
    const problem = (field: string, what: string) => problems.push(`line ${line}, ${field}: ${what}`);
    if (record.length !== header!.record.length)
      problem('all of it', `it has ${record.length} fields, the header ${header!.record.length}`);
    const field = (name: Column) => record[places.get(name) ?? -1] ?? '';
    const once = (kind: keyof typeof seen, name: Column, what: string) => {
      const first = seen[kind].get(what);
      if (first !== undefined) problem(name, `the same stands in line ${first}`);
      else seen[kind].set(what, line);
    };
    const [type, id] = [field('subject_type'), field('subject_id')];
    if (!types.includes(type)) problem('subject_type', `it is none of: ${types.join(', ')}`);
    if (id.trim() === '') problem('subject_id', 'it is empty');
    else once('subject', 'subject_id', `${type}\n${id}`);
    const why = field('reason').trim() === '' ? reason : field('reason');
    if (why === undefined) problem('reason', 'it is empty, and there is no --reason');
    if ((why ?? '').length > 1_000) problem('reason', 'it is longer than 1,000 characters');
    const request = field('request_id');
    if (request !== '' && !isRequestId(request))
      problem('request_id', 'it takes letters, digits, dots, - and _, at most 100');
    else if (request !== '') once('request', 'request_id', request);
    const received = field('received');
    if (received !== '' && !isPastTime(received))
      problem('received', 'it is no time that is past: 2026-01-31 or 2026-01-31T09:30:00Z');
    return {
      line,
      subject: { type, id },
      reason: why ?? '',
      ...(request === '' ? {} : { requestId: request }),
      ...(received === '' ? {} : { receivedAt: new Date(received) }),
    };
  });
  if (problems.length > 0) throw unusable(problems);
  return rows;
}

function parseCsv(text: string): Parsed[] {
  try {
    return parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    // The parser's own message quotes what it met.
    const line = typeof error['lines'] === 'number' ? `line ${error['lines']}: ` : '';
    throw unusable([`${line}it is no CSV (${error.code})`]);
  }
}

function placesOf(header: Parsed | undefined, problems: string[]): ReadonlyMap<Column, number> {
  const places = new Map<Column, number>();
  for (const [i, text] of (header?.record ?? []).entries()) {
    const name = batchColumns.find((column) => column === text.trim());
    if (!name) problems.push(`the header's field ${i + 1} is no column: ${batchColumns.join(', ')}`);
    else if (places.has(name)) problems.push(`the header has ${name} twice`);
    else places.set(name, i);
  }
  for (const name of ['subject_type', 'subject_id'] as const)
    if (!places.has(name)) problems.push(`the header lacks ${name}`);
  return places;
}

function unusable(problems: readonly string[]): LetheError {
  const more = problems.length - mostProblems;
  const lines = [...problems.slice(0, mostProblems), ...(more > 0 ? [`and ${more} more`] : [])];
  return new LetheError(
    'CONFIG_INVALID',
    `the file of requests cannot be used:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { fix: 'Correct the file and give it again: none of its requests was filed.' },
  );
}
