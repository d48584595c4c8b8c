/** A piece of SQL; comments and spaces are between them. */
export interface Token {
  /** `word`: an unquoted identifier or key word; `name`: a quoted identifier; `text`: a literal; `sign`: one character. */
  readonly kind: 'word' | 'name' | 'text' | 'sign';
  /** Words in lower case, names without their quotes, signs as they are. Empty for literals. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const blank = /(?:\s+|--[^\n]*|\/\*[^]*?\*\/)/y;
const word = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const name = /"(?:[^"]|"")+"/y;
const text = /[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|(\$(?:[A-Za-z_]\w*)?\$)[^]*?\1/y;
const number = /\d[\w.]*/y;

/**
 * Splits SQL into tokens as Postgres does with standard_conforming_strings. Undefined where that is in doubt: an open quote or comment, a
 * comment within a comment, an identifier or literal by Unicode escapes.
 */
export function tokensOf(sql: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const take = (pattern: RegExp): string | undefined => {
      pattern.lastIndex = at;
      return pattern.exec(sql)?.[0];
    };
    const push = (kind: Token['kind'], found: string, value: string): void => {
      tokens.push({ kind, value, start: at, end: at + found.length });
      at += found.length;
    };
    const skipped = take(blank);
    if (skipped !== undefined) {
      if (skipped.startsWith('/*') && skipped.indexOf('/*', 2) > 0) return undefined;
      at += skipped.length;
      continue;
    }
    const literal = take(text) ?? take(number);
    if (literal !== undefined) {
      push('text', literal, '');
      continue;
    }
    const quoted = take(name);
    if (quoted !== undefined) {
      push('name', quoted, quoted.slice(1, -1).replaceAll('""', '"'));
      continue;
    }
    const bare = take(word);
    if (bare !== undefined) {
      if (/^u$/i.test(bare) && /^&["']/.test(sql.slice(at + 1, at + 3))) return undefined;
      push('word', bare, bare.toLowerCase());
      continue;
    }
    const sign = sql[at]!;
    if (sign === '"' || sign === "'" || sign === '$' || sql.startsWith('/*', at)) return undefined;
    push('sign', sign, sign);
  }
  return tokens;
}

/** Tokens between signs that stand outside of parentheses. */
export function partsOf(tokens: readonly Token[], sign: ',' | ';'): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'sign' && '(['.includes(token.value)) depth++;
    if (token.kind === 'sign' && ')]'.includes(token.value)) depth--;
    if (token.kind === 'sign' && token.value === sign && depth === 0) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts.filter((part) => part.length > 0);
}
