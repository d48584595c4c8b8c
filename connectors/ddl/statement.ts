import { TokenReader } from './token-reader.ts';
import { partsOf, type Token, tokensOf } from './tokens.ts';

/** What a statement does to a table, as far as it is known here. */
export type DdlAction =
  | { readonly kind: 'add column'; readonly column: string }
  | { readonly kind: 'drop column'; readonly column: string; readonly cascade: boolean }
  | { readonly kind: 'retype column'; readonly column: string; readonly type: string }
  | { readonly kind: 'rename column'; readonly column: string; readonly to: string }
  | { readonly kind: 'rename table'; readonly to: string }
  | { readonly kind: 'drop constraint'; readonly name: string }
  | { readonly kind: 'add primary key'; readonly columns: readonly string[] }
  | { readonly kind: 'replica identity'; readonly isDefault: boolean }
  | { readonly kind: 'drop table' }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'unknown' };

/** A statement of the application. */
export interface DdlStatement {
  /** As it was given, without the semicolon. */
  readonly text: string;
  /** `schema.table`; undefined where nothing is known. */
  readonly table?: string;
  readonly actions: readonly { readonly action: DdlAction; readonly text: string }[];
}

const unknown: DdlAction = { kind: 'unknown' };

/** Reads DDL. What it does not know for certain is unknown: it never takes one statement for another. */
export function parseDdl(sql: string): DdlStatement[] {
  const tokens = tokensOf(sql);
  if (!tokens) return [{ text: sql.trim(), actions: [{ action: unknown, text: sql.trim() }] }];
  return partsOf(tokens, ';').flatMap((part) => parseStatement(sql, part));
}

function textOf(sql: string, tokens: readonly Token[]): string {
  return sql.slice(tokens[0]!.start, tokens.at(-1)!.end);
}

function parseStatement(sql: string, tokens: readonly Token[]): DdlStatement[] {
  const text = textOf(sql, tokens);
  const reader = new TokenReader(tokens);
  const found = reader.words('alter', 'table')
    ? alterTable(sql, text, reader)
    : reader.words('drop', 'table')
      ? wholeTables(text, reader, { kind: 'drop table' })
      : reader.words('truncate')
        ? wholeTables(text, reader, { kind: 'truncate' })
        : undefined;
  return found ?? [{ text, actions: [{ action: unknown, text }] }];
}

/** Of DROP TABLE and TRUNCATE, which take several tables: a statement for each. */
function wholeTables(text: string, reader: TokenReader, action: DdlAction): DdlStatement[] | undefined {
  void (action.kind === 'drop table' ? reader.words('if', 'exists') : reader.words('table'));
  const tables: string[] = [];
  do {
    void (action.kind === 'truncate' && reader.words('only'));
    const table = reader.table();
    if (table === undefined) return undefined;
    reader.sign('*');
    tables.push(table);
  } while (reader.sign(','));
  if (action.kind === 'truncate')
    void (reader.words('restart', 'identity') || reader.words('continue', 'identity'));
  // What else CASCADE takes with it is not known here.
  void reader.words('restrict');
  if (!reader.isDone) return undefined;
  return tables.map((table) => ({ text, table, actions: [{ action, text }] }));
}

function alterTable(sql: string, text: string, reader: TokenReader): DdlStatement[] | undefined {
  reader.words('if', 'exists');
  reader.words('only');
  const table = reader.table();
  if (table === undefined || reader.isDone) return undefined;
  reader.sign('*');
  const parts = partsOf(reader.rest, ',');
  if (parts.length === 0) return undefined;
  const head = sql.slice(sql.indexOf(text), parts[0]![0]!.start).trimEnd();
  const actions = parts.map((part) => ({
    action: parseAction(sql, table, new TokenReader(part)),
    text: parts.length === 1 ? text : `${head} ${textOf(sql, part)}`,
  }));
  return [{ text, table, actions }];
}

function parseAction(sql: string, table: string, reader: TokenReader): DdlAction {
  if (reader.words('add')) return addAction(reader);
  if (reader.words('drop')) return dropAction(reader);
  if (reader.words('alter')) return alterAction(sql, reader);
  if (reader.words('rename')) return renameAction(table, reader);
  if (reader.words('set', 'schema')) {
    const schema = reader.name();
    const bare = table.slice(table.indexOf('.') + 1);
    return schema !== undefined && reader.isDone
      ? { kind: 'rename table', to: `${schema}.${bare}` }
      : unknown;
  }
  if (reader.words('replica', 'identity')) {
    return { kind: 'replica identity', isDefault: reader.words('default') };
  }
  return unknown;
}

const constraintWords = ['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude', 'not'] as const;

function addAction(reader: TokenReader): DdlAction {
  if (!reader.words('column')) {
    if (reader.words('constraint') && reader.name() === undefined) return unknown;
    if (reader.words('primary', 'key')) {
      const columns = reader.names();
      return columns ? { kind: 'add primary key', columns } : unknown;
    }
    const next = reader.rest[0];
    if (next?.kind === 'word' && (constraintWords as readonly string[]).includes(next.value)) return unknown;
  }
  reader.words('if', 'not', 'exists');
  const column = reader.name();
  // A column that comes with a key of its own is two changes at once.
  if (column === undefined || reader.isDone || reader.holds('primary')) return unknown;
  return { kind: 'add column', column };
}

function dropAction(reader: TokenReader): DdlAction {
  if (reader.words('constraint')) {
    reader.words('if', 'exists');
    const name = reader.name();
    return name === undefined ? unknown : { kind: 'drop constraint', name };
  }
  reader.words('column');
  reader.words('if', 'exists');
  const column = reader.name();
  if (column === undefined) return unknown;
  const cascade = reader.words('cascade');
  if (!cascade) reader.words('restrict');
  return reader.isDone ? { kind: 'drop column', column, cascade } : unknown;
}

function alterAction(sql: string, reader: TokenReader): DdlAction {
  reader.words('column');
  const column = reader.name();
  if (column === undefined || !(reader.words('set', 'data', 'type') || reader.words('type'))) return unknown;
  const rest = reader.rest;
  const end = rest.findIndex(({ kind, value }) => kind === 'word' && ['using', 'collate'].includes(value));
  const type = end < 0 ? rest : rest.slice(0, end);
  return type.length === 0 ? unknown : { kind: 'retype column', column, type: textOf(sql, type) };
}

function renameAction(table: string, reader: TokenReader): DdlAction {
  if (reader.words('to')) {
    const to = reader.name();
    const schema = table.slice(0, table.indexOf('.'));
    return to !== undefined && reader.isDone ? { kind: 'rename table', to: `${schema}.${to}` } : unknown;
  }
  if (reader.words('constraint')) return unknown;
  reader.words('column');
  const column = reader.name();
  const to = reader.words('to') ? reader.name() : undefined;
  if (column === undefined || to === undefined || !reader.isDone) return unknown;
  return { kind: 'rename column', column, to };
}
