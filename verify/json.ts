import { VerifyError } from './verify-error.ts';

/** A JSON number as it is written: no digit is lost, whatever its size. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;
/** A Map, so that no key (`__proto__`) is special. */
export type JsonObject = Map<string, Json>;

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids them unescaped
const plainStringPattern = /"([^"\\\u0000-\u001f]*)"/y;
const maxDepth = 512;

/** Parses JSON without rounding any number. */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth > maxDepth) throw malformed();
    this.#space();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#at !== this.#text.length) throw malformed();
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = new Map();
    this.#at++;
    if (this.#ends('}')) return object;
    for (;;) {
      this.#space();
      const key = this.#string();
      this.#expect(':');
      object.set(key, this.value(depth + 1));
      if (this.#ends('}')) return object;
      this.#expect(',');
    }
  }

  #array(depth: number): Json[] {
    const array: Json[] = [];
    this.#at++;
    if (this.#ends(']')) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      if (this.#ends(']')) return array;
      this.#expect(',');
    }
  }

  #string(): string {
    plainStringPattern.lastIndex = this.#at;
    const plain = plainStringPattern.exec(this.#text);
    if (plain) {
      this.#at = plainStringPattern.lastIndex;
      return plain[1]!;
    }
    if (this.#text[this.#at] !== '"') throw malformed();
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    const written = this.#text.slice(this.#at, end + 1);
    this.#at = end + 1;
    try {
      // A single string holds no number: the built-in parser loses nothing.
      return JSON.parse(written) as string;
    } catch {
      throw malformed();
    }
  }

  #number(): JsonNumber {
    numberPattern.lastIndex = this.#at;
    const match = numberPattern.exec(this.#text);
    if (!match) throw malformed();
    this.#at = numberPattern.lastIndex;
    return new JsonNumber(match[0]);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw malformed();
    this.#at += word.length;
    return value;
  }

  #ends(bracket: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at++;
    return true;
  }

  #expect(mark: string): void {
    this.#space();
    if (this.#text[this.#at] !== mark) throw malformed();
    this.#at++;
  }

  #space(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.#at++;
    }
  }
}

/**
 * One text for all writings of the same JSON value: keys sorted, no spaces, numbers by their value
 * (1.50, 1.5 and 15e-1 are one) and exact.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof JsonNumber) return canonicalNumber(value.text);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

/** Sign, digits without zeros at either end, exponent: `12.340` is `1234e-2`. */
export function canonicalNumber(text: string): string {
  const m = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!m) throw malformed();
  const fraction = m[3] ?? '';
  const all = `${m[2]}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return '0';
  const exponent = BigInt(m[4] ?? '0') - BigInt(fraction.length) + BigInt(all.length - digits.length);
  return `${m[1]}${digits}e${exponent}`;
}

function malformed(): VerifyError {
  return new VerifyError('DATA_MALFORMED', 'not JSON');
}
