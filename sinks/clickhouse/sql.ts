/** An identifier in backticks. */
export function quote(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

/** A text as a literal. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** The names in a list as ClickHouse prints it (`system.tables.sorting_key`), with or without parentheses. */
export function parseNames(list: string): string[] {
  return [...list.matchAll(/`((?:\\.|[^`\\])*)`|[^,\s()]+/g)].map((m) =>
    m[1] === undefined ? m[0] : m[1].replace(/\\(.)/g, '$1'),
  );
}
