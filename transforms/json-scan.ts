import { malformed } from './avro-reader.ts';

const quote = 0x22;
const backslash = 0x5c;

/** Where the next character that is no white space stands. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length && (text[i] === ' ' || text[i] === '\n' || text[i] === '\t' || text[i] === '\r'))
    i++;
  return i;
}

/** The end of the string that begins at `at`. */
export function skipString(text: string, at: number): number {
  if (text.charCodeAt(at) !== quote) throw malformed();
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === quote) return i + 1;
  }
  throw malformed();
}

/** The end of the value that begins at `at`, however deep it is: without recursion, so that no depth ends the process. */
export function skipJson(text: string, at: number): number {
  let depth = 0;
  let i = at;
  do {
    i = skipSpace(text, i);
    const c = text[i];
    if (c === '{' || c === '[') {
      depth++;
      i++;
    } else if (c === '}' || c === ']') {
      depth--;
      i++;
    } else if (c === '"') i = skipString(text, i);
    else if (c === ',' || c === ':') i++;
    else i = skipBare(text, i);
  } while (depth > 0);
  if (depth < 0) throw malformed();
  return i;
}

const bare = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The end of a number, true, false or null. */
function skipBare(text: string, at: number): number {
  bare.lastIndex = at;
  const found = bare.exec(text);
  if (!found) throw malformed();
  return at + found[0].length;
}

/** The text that a string token stands for. */
export function stringOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  try {
    return JSON.parse(token) as string;
  } catch {
    throw malformed();
  }
}
