import type { Token } from './tokens.ts';

/** Reads tokens one after the other; what is asked for and does not come is told by the answer. */
export class TokenReader {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  /** Passes these key words if all of them come next. */
  words(...values: readonly string[]): boolean {
    const come = values.every((value, i) => {
      const token = this.tokens[this.at + i];
      return token?.kind === 'word' && token.value === value;
    });
    if (come) this.at += values.length;
    return come;
  }

  sign(value: string): boolean {
    const token = this.tokens[this.at];
    const comes = token?.kind === 'sign' && token.value === value;
    if (comes) this.at++;
    return comes;
  }

  /** An identifier, as the catalog has it. */
  name(): string | undefined {
    const token = this.tokens[this.at];
    if (token?.kind !== 'word' && token?.kind !== 'name') return undefined;
    this.at++;
    return token.value;
  }

  /** `schema.table`; one without a schema is taken to be in public. */
  table(): string | undefined {
    const first = this.name();
    if (first === undefined) return undefined;
    if (!this.sign('.')) return `public.${first}`;
    const second = this.name();
    return second === undefined ? undefined : `${first}.${second}`;
  }

  /** Names in parentheses. */
  names(): string[] | undefined {
    if (!this.sign('(')) return undefined;
    const names: string[] = [];
    do {
      const name = this.name();
      if (name === undefined) return undefined;
      names.push(name);
    } while (this.sign(','));
    return this.sign(')') ? names : undefined;
  }

  /** Is any of these key words among what is left? */
  holds(...values: readonly string[]): boolean {
    return this.rest.some(({ kind, value }) => kind === 'word' && values.includes(value));
  }

  get rest(): readonly Token[] {
    return this.tokens.slice(this.at);
  }

  get isDone(): boolean {
    return this.at === this.tokens.length;
  }
}
